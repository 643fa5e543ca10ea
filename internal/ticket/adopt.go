package ticket

import (
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// adoptPolicy moves the ticket to another published version, newer or older. What was used up stays used up; from here
// on the clocks count as that version says, stand still when it says, and silence and the ladder are its own. What has
// fired stays fired.
func (s *story) adoptPolicy(c Command) *fault.Error {
	switch {
	case c.Adopt == nil:
		return fault.Refusal(CodeNoPolicy, "there is no such version of the policy")
	case c.Policy == s.t.Policy:
		return fault.Refusal(CodeNothing, "the ticket is under that version already")
	}
	before := s.t
	l := s.ledger()
	l.adopt(c.Adopt)
	s.desk.Policy = c.Adopt
	l.applyPauses()
	s.emit(Event{Kind: EventPolicyAdopted, Policy: c.Policy, Was: before.Policy, Clocks: l.entries})
	if deadlinesDiffer(before, s.t) {
		s.mail(MailPolicyChange, s.t.Requester)
	}
	return nil
}

// promisesOtherwise reports whether a promise that is owed has got, or lost, a date that the requester was told.
func deadlinesDiffer(before, after Ticket) bool {
	return slices.ContainsFunc(policy.ClockNames(), func(name policy.ClockName) bool {
		was, is := before.Promise(name), after.Promise(name)
		wasDue, _ := was.Clock.Due()
		isDue, _ := is.Clock.Due()
		return is.MetAt.IsZero() && is.BreachedAt.IsZero() && !wasDue.Equal(isDue)
	})
}

// applyPolicy pins the ticket to another version. What that version would have had fall due earlier falls due now.
func (t *Ticket) applyPolicy(e Event) {
	if e.Kind == EventPolicyAdopted {
		t.Policy, t.NotBefore = e.Policy, e.At
	}
}

// adopt goes on by another policy. A clock that stands keeps its target: nothing is promised about it any more, but from
// here on its time is that policy's too. One whose promise was broken also goes on counting as it did then.
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
		entry, changed, err := clock.Adopt(l.s.desk.Policy.Calendar, p.Calendar, l.s.at, counts, target)
		l.write(name, entry, changed, err)
	}
}

// standAsPolicySays makes the clocks stand still for the status that the ticket has, or run on, as its policy says now.
func (l *ledger) applyPauses() {
	reasons := map[policy.Reason]Status{policy.ReasonWaiting: StatusWaiting, policy.ReasonResolved: StatusResolved}
	for _, name := range policy.ClockNames() {
		for _, reason := range []policy.Reason{policy.ReasonWaiting, policy.ReasonResolved} {
			pauses := slices.Contains(l.s.desk.Policy.Clocks[name].Pauses, reason)
			if pauses && l.s.t.Status == reasons[reason] {
				entry, changed := l.clocks[name].Pause(l.s.desk.Policy.Calendar, l.s.at, reason)
				l.write(name, entry, changed, nil)
			} else {
				entry, changed, err := l.clocks[name].Resume(l.s.desk.Policy.Calendar, l.s.at, reason)
				l.write(name, entry, changed, err)
			}
		}
	}
}
