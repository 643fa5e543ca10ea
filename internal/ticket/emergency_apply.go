package ticket

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// ApplyTransitions applies to a ticket the transitions of the emergency schedule up to an instant. It stops before a transition that
// an earlier due event precedes. However late it is called, the events bear the times of their transitions.
func ApplyTransitions(t Ticket, d Environment, until time.Time) (Result, error) {
	s := &decider{t: t, env: d}
	s.applyTransitions(until)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("apply transitions to ticket %s: %w", t.Number, err)
	}
	return result, nil
}

func (s *decider) applyTransitions(until time.Time) {
	for s.err == nil {
		e, ok := NextTransition(s.t, s.env.Schedule)
		if !ok || e.At.After(until) {
			return
		}
		if m, ok := Next(s.t, s.env.Policy); ok && m.Due.Before(e.At) {
			return
		}
		s.applyTransition(e)
	}
}

// applyTransition emits the event of a transition. If a defect offers the same transition twice in a row, the step fails
// rather than loop for ever.
func (s *decider) applyTransition(e Transition) {
	if s.lastTransition == e {
		s.err = fmt.Errorf("%s by %s at %s does not take effect", e.Verb, e.Emergency, e.At)
		return
	}
	s.lastTransition = e
	s.begin(deskActor, s.notBeforeLedger(e.At), 0)
	l := s.ledger()
	event := Event{Emergency: string(e.Emergency)}
	switch e.Verb {
	case VerbEmergencyPause:
		event.Kind = EventPaused
		l.pause(policy.ReasonEmergency)
	case VerbEmergencyExtend:
		event.Kind, event.Delay = EventExtended, s.env.Schedule.delay(e.Emergency, s.at)
		before, _ := s.t.period(e.Emergency)
		l.extend(event.Delay - before.By)
	case VerbEmergencyResume:
		event.Kind = EventResumed
		if !s.t.pausedByAnother(e.Emergency) {
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

func (g EmergencySchedule) delay(id EmergencyID, at time.Time) time.Duration {
	for _, e := range g.Emergencies {
		if e.ID == id {
			return e.delay(at)
		}
	}
	return 0
}

// Expected returns both deadlines, in UTC, as they will be if every emergency begins and ends as planned and no command
// comes. For a breached promise it is the deadline that passed. It is zero if the promise is no longer pending, or if its
// clock is paused with no planned end.
func Expected(t Ticket, d Environment) (policy.Deadlines, error) {
	s := &decider{t: t, env: d}
	dues := map[policy.ClockName]time.Time{}
	for {
		next, more := NextTransition(s.t, d.Schedule)
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
func ResumesAt(t Ticket, d Environment) (time.Time, error) {
	s := &decider{t: t, env: d}
	for s.err == nil && s.t.InEmergency() {
		e, ok := NextTransition(s.t, d.Schedule)
		if !ok {
			return time.Time{}, nil
		}
		s.applyTransition(e)
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
