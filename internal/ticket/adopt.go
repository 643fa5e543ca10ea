package ticket

import (
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// adoptPolicy moves the ticket to another published policy version, newer or older. Time already used stays used. From
// now on the clocks count and pause as that version says, and silence and escalation follow it. Due events that have
// fired do not fire again.
func (s *decider) adoptPolicy(c Command) *fault.Error {
	switch {
	case c.Adopt == nil:
		return fault.NewConflict(CodeNoPolicy, "there is no such version of the policy")
	case c.Policy == s.t.Policy:
		return fault.NewConflict(CodeNothing, "the ticket already uses this policy version")
	}
	before := s.t
	l := s.ledger()
	l.adopt(c.Adopt)
	s.env.Policy = c.Adopt
	l.applyPauses()
	s.emit(Event{Kind: EventPolicyAdopted, Policy: c.Policy, Was: before.Policy, Clocks: l.entries})
	if deadlinesDiffer(before, s.t) {
		s.mail(MailPolicyChange, s.t.Requester)
	}
	return nil
}

// deadlinesDiffer reports whether the deadline of a pending promise has changed, which the requester is mailed about.
func deadlinesDiffer(before, after Ticket) bool {
	return slices.ContainsFunc(policy.ClockNames(), func(name policy.ClockName) bool {
		was, is := before.Promise(name), after.Promise(name)
		wasDue, _ := was.Clock.Due()
		isDue, _ := is.Clock.Due()
		return is.MetAt.IsZero() && is.BreachedAt.IsZero() && !wasDue.Equal(isDue)
	})
}

// applyPolicy pins the ticket to another version. Whatever would have been due earlier under that version is due now.
func (t *Ticket) applyPolicy(e Event) {
	if e.Kind == EventPolicyAdopted {
		t.Policy, t.NotBefore = e.Policy, e.At
	}
}

// adopt switches the clocks to another policy. A clock whose promise is decided keeps its target. One whose promise was
// breached also keeps its way of counting, so that reports measure it as it was promised.
func (l *ledger) adopt(p *policy.Policy) {
	for _, name := range policy.ClockNames() {
		clock := l.clocks[name]
		target, counts := p.Target(name, l.s.t.Priority), p.Clocks[name].Counts
		if l.decided(name) {
			target = clock.Budget() - clock.Extension()
		}
		if !l.s.t.Promise(name).BreachedAt.IsZero() {
			counts = clock.Counts
		}
		entry, changed, err := clock.Adopt(l.s.env.Policy.Calendar, p.Calendar, l.s.at, counts, target)
		l.write(name, entry, changed, err)
	}
}

// applyPauses pauses or resumes each clock for the ticket's status, as its policy now says.
func (l *ledger) applyPauses() {
	reasons := map[policy.Reason]Status{policy.ReasonWaiting: StatusWaiting, policy.ReasonResolved: StatusResolved}
	for _, name := range policy.ClockNames() {
		for _, reason := range []policy.Reason{policy.ReasonWaiting, policy.ReasonResolved} {
			pauses := slices.Contains(l.s.env.Policy.Clocks[name].Pauses, reason)
			if pauses && l.s.t.Status == reasons[reason] {
				entry, changed := l.clocks[name].Pause(l.s.env.Policy.Calendar, l.s.at, reason)
				l.write(name, entry, changed, nil)
			} else {
				entry, changed, err := l.clocks[name].Resume(l.s.env.Policy.Calendar, l.s.at, reason)
				l.write(name, entry, changed, err)
			}
		}
	}
}
