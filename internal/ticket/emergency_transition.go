package ticket

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Transition is a time at which an emergency changes something for open tickets.
type Transition struct {
	At        time.Time   `json:"at"`
	Verb      Verb        `json:"verb"` // emergency-pause, emergency-extend or emergency-resume
	Emergency EmergencyID `json:"emergency"`
}

// transitionOrder orders transitions at the same time. Pauses come before resumptions, so that clocks do not resume between
// two adjacent emergencies.
var transitionOrder = []Verb{VerbEmergencyPause, VerbEmergencyExtend, VerbEmergencyResume}

func compareTransitions(a, b Transition) int {
	return cmp.Or(a.At.Compare(b.At),
		slices.Index(transitionOrder, a.Verb)-slices.Index(transitionOrder, b.Verb), cmp.Compare(a.Emergency, b.Emergency))
}

// Transitions returns the transitions of all emergencies in order of time.
func (schedule EmergencySchedule) Transitions() []Transition {
	var transitions []Transition
	for _, e := range schedule.Emergencies {
		if e.Kind == EmergencyClosed {
			transitions = append(transitions, Transition{At: e.From, Verb: VerbEmergencyPause, Emergency: e.ID})
		}
		for _, d := range e.Delays {
			transitions = append(transitions, Transition{At: d.From, Verb: VerbEmergencyExtend, Emergency: e.ID})
		}
		if !e.Until.IsZero() {
			transitions = append(transitions, Transition{At: e.Until, Verb: VerbEmergencyResume, Emergency: e.ID})
		}
	}
	slices.SortStableFunc(transitions, func(a, b Transition) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Emergency, b.Emergency))
	})
	return transitions
}

// HasTransition reports whether a transition lies in (after, until].
func (schedule EmergencySchedule) HasTransition(after, until time.Time) bool {
	return slices.ContainsFunc(schedule.Transitions(), func(t Transition) bool { return t.At.After(after) && !t.At.After(until) })
}

// ActiveAt returns the emergencies that are active at a given time.
func (schedule EmergencySchedule) ActiveAt(at time.Time) []Emergency {
	var all []Emergency
	for _, e := range schedule.Emergencies {
		if e.ActiveAt(at) {
			all = append(all, e)
		}
	}
	return all
}

// NextTransition returns the next transition to apply to a ticket, in the past or ahead, and false if there is none. The
// ticket's emergency periods say what has been applied, so each transition is applied once.
func NextTransition(t Ticket, schedule EmergencySchedule) (Transition, bool) {
	if t.Submitted.IsZero() || t.Closed() {
		return Transition{}, false
	}
	var transitions []Transition
	for _, e := range schedule.Emergencies {
		if next, ok := e.nextTransition(t); ok {
			transitions = append(transitions, next)
		}
	}
	for _, period := range t.Emergencies {
		if period.active() && period.ID.Valid() && !schedule.contains(period.ID) { // an emergency that does not exist pauses nothing
			transitions = append(transitions, Transition{period.From, VerbEmergencyResume, period.ID})
		}
	}
	if len(transitions) == 0 {
		return Transition{}, false
	}
	return slices.MinFunc(transitions, compareTransitions), true
}

func (schedule EmergencySchedule) contains(id EmergencyID) bool {
	return slices.ContainsFunc(schedule.Emergencies, func(e Emergency) bool { return e.ID == id })
}

// nextTransition returns the emergency's next transition for a ticket, and false if there is none.
func (e Emergency) nextTransition(t Ticket) (Transition, bool) {
	period, seen := t.period(e.ID)
	over := !e.Until.IsZero() && !e.Until.After(t.Submitted)
	switch {
	case !seen && over:
		return Transition{}, false
	case e.Kind == EmergencyDelayed:
		if !seen {
			return e.firstDelay(notBefore(e.From, t.Submitted))
		}
		return e.nextDelay(period.Until, period.By)
	case !seen:
		return Transition{notBefore(e.From, t.Submitted), VerbEmergencyPause, e.ID}, true
	case period.active() && !e.Until.IsZero():
		return Transition{e.Until, VerbEmergencyResume, e.ID}, true
	}
	return Transition{}, false
}

// firstDelay returns the delay that a ticket has when the emergency begins for it or, if it has none then, the first later one.
func (e Emergency) firstDelay(begin time.Time) (Transition, bool) {
	if e.delay(begin) != 0 {
		return Transition{begin, VerbEmergencyExtend, e.ID}, true
	}
	return e.nextDelay(begin, 0)
}

// nextDelay returns the first change of the delay after the last applied one, which was by as much as by.
func (e Emergency) nextDelay(lastApplied time.Time, by time.Duration) (Transition, bool) {
	for _, d := range e.Delays {
		if d.From.After(lastApplied) && d.By != by && (e.Until.IsZero() || d.From.Before(e.Until)) {
			return Transition{d.From, VerbEmergencyExtend, e.ID}, true
		}
	}
	return Transition{}, false
}

// delay returns how much longer the emergency makes targets at a given time.
func (e Emergency) delay(at time.Time) time.Duration {
	var by time.Duration
	for _, d := range e.Delays {
		if !d.From.After(at) && (e.Until.IsZero() || d.From.Before(e.Until)) {
			by = d.By
		}
	}
	return by
}

func notBefore(at, earliest time.Time) time.Time {
	if at.Before(earliest) {
		return earliest
	}
	return at
}

// ApplyTransitions applies to a ticket the transitions of the emergency schedule up to a given time. It stops before a transition that
// an earlier due event precedes. However late it is called, the events bear the times of their transitions.
func ApplyTransitions(t Ticket, env Environment, until time.Time) (Result, error) {
	s := &decider{t: t, env: env}
	s.applyTransitions(until)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("apply transitions to ticket %s: %w", t.Number, err)
	}
	return result, nil
}

func (s *decider) applyTransitions(until time.Time) {
	for s.err == nil {
		next, ok := NextTransition(s.t, s.env.Schedule)
		if !ok || next.At.After(until) {
			return
		}
		if due, ok := Next(s.t, s.env.Policy); ok && due.Due.Before(next.At) {
			return
		}
		s.applyTransition(next)
	}
}

// applyTransition emits the event of a transition. If a defect offers the same transition twice in a row, the step fails
// rather than loop for ever.
func (s *decider) applyTransition(next Transition) {
	if s.lastTransition == next {
		s.err = fmt.Errorf("%s by %s at %s does not take effect", next.Verb, next.Emergency, next.At)
		return
	}
	s.lastTransition = next
	s.begin(deskActor, s.notBeforeLedger(next.At), 0)
	l := s.ledger()
	event := Event{Emergency: string(next.Emergency)}
	switch next.Verb {
	case VerbEmergencyPause:
		event.Kind = EventPaused
		l.pause(policy.ReasonEmergency)
	case VerbEmergencyExtend:
		event.Kind, event.Delay = EventExtended, s.env.Schedule.delay(next.Emergency, s.at)
		before, _ := s.t.period(next.Emergency)
		l.extend(event.Delay - before.By)
	case VerbEmergencyResume:
		event.Kind = EventResumed
		if !s.t.pausedByAnother(next.Emergency) {
			l.resume(policy.ReasonEmergency)
		}
	}
	event.Clocks = l.entries
	s.emit(event)
}

// notBeforeLedger returns a time that is not before the clocks' last entries. Only a database whose clock was set back
// needs the correction.
func (s *decider) notBeforeLedger(at time.Time) time.Time {
	for _, name := range policy.ClockNames() {
		if ledger := s.t.Promise(name).Clock.Ledger; len(ledger) > 0 {
			at = notBefore(at, ledger[len(ledger)-1].At)
		}
	}
	return at
}

func (schedule EmergencySchedule) delay(id EmergencyID, at time.Time) time.Duration {
	for _, e := range schedule.Emergencies {
		if e.ID == id {
			return e.delay(at)
		}
	}
	return 0
}

// Expected returns both deadlines, in UTC, as they will be if every emergency begins and ends as planned and no command
// comes. For a breached promise it is the deadline that passed. It is zero if the promise is no longer pending, or if its
// clock is paused with no planned end.
func Expected(t Ticket, env Environment) (policy.Deadlines, error) {
	s := &decider{t: t, env: env}
	dues := map[policy.ClockName]time.Time{}
	for {
		next, more := NextTransition(s.t, env.Schedule)
		for _, name := range policy.ClockNames() {
			if _, known := dues[name]; known {
				continue
			}
			if due, sure := expected(*s.t.Promise(name), next, more); sure {
				dues[name] = due
			}
		}
		if len(dues) == len(policy.ClockNames()) || s.err != nil {
			break
		}
		s.applyTransition(next)
	}
	_, err := s.result()
	return policy.Deadlines{FirstResponse: dues[policy.FirstResponse], Resolution: dues[policy.Resolution]}, err
}

// ResumesAt returns when the emergencies that pause a ticket's clocks end, if each ends as planned. It is zero if none pauses
// them or one has no planned end.
func ResumesAt(t Ticket, env Environment) (time.Time, error) {
	s := &decider{t: t, env: env}
	for s.err == nil && s.t.InEmergency() {
		next, ok := NextTransition(s.t, env.Schedule)
		if !ok {
			return time.Time{}, nil
		}
		s.applyTransition(next)
	}
	_, err := s.result()
	return s.at, err
}

// expected returns a promise's deadline, and false if the next transition may still change it.
func expected(p Promise, next Transition, more bool) (time.Time, bool) {
	due, runs := p.Clock.Due()
	switch {
	case !p.MetAt.IsZero(), p.Clock.Met():
		return time.Time{}, true
	case !p.BreachedAt.IsZero():
		return p.BreachedAt, true
	case !more:
		return due, true
	default:
		return due, runs && due.Before(next.At)
	}
}
