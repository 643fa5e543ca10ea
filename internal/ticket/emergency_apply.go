package ticket

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Weave brings a ticket past the edges of the gate up to an instant, as long as no moment of its own is due before
// them: those come in their own time. However late that happens, everything bears the edge's own instant.
func Weave(t Ticket, d Desk, until time.Time) (Result, error) {
	s := &story{t: t, desk: d}
	s.weave(until)
	result, err := s.result()
	if err != nil {
		return Result{}, fmt.Errorf("weave the gate into ticket %s: %w", t.Number, err)
	}
	return result, nil
}

func (s *story) weave(until time.Time) {
	for s.err == nil {
		e, ok := NextEdge(s.t, s.desk.Gate)
		if !ok || e.At.After(until) {
			return
		}
		if m, ok := Next(s.t, s.desk.Policy); ok && m.Due.Before(e.At) {
			return
		}
		s.applyTransition(e)
	}
}

// pass tells what an edge does to the ticket. An edge that is told must not be offered again: the step fails, for else
// it would fill the worker's memory.
func (s *story) applyTransition(e Edge) {
	if s.lastTransition == e {
		s.err = fmt.Errorf("%s by %s at %s comes for ever", e.Verb, e.Emergency, e.At)
		return
	}
	s.lastTransition = e
	s.begin(theDesk, s.notBeforeLedger(e.At), 0)
	l := s.ledger()
	told := Event{Emergency: string(e.Emergency)}
	switch e.Verb {
	case VerbEmergencyPause:
		told.Kind = EventPaused
		l.pause(policy.ReasonEmergency)
	case VerbEmergencyExtend:
		told.Kind, told.Delay = EventExtended, s.desk.Gate.delay(e.Emergency, s.at)
		had, _ := s.t.period(e.Emergency)
		l.extend(told.Delay - had.By)
	case VerbEmergencyResume:
		told.Kind = EventResumed
		if !s.t.pausedByAnother(e.Emergency) {
			l.resume(policy.ReasonEmergency)
		}
	}
	told.Clocks = l.entries
	s.emit(told)
}

// notBeforeLedger keeps an edge from being told before what the clocks have told: only a database whose clock was set
// back can ask for that.
func (s *story) notBeforeLedger(at time.Time) time.Time {
	for _, name := range policy.ClockNames() {
		if ledger := s.t.Promise(name).Clock.Ledger; len(ledger) > 0 {
			at = notBefore(at, ledger[len(ledger)-1].At)
		}
	}
	return at
}

func (g Gate) delay(id EmergencyID, at time.Time) time.Duration {
	for _, e := range g.Emergencies {
		if e.ID == id {
			return e.delay(at)
		}
	}
	return 0
}

// Expected gives both deadlines as they will be if every emergency begins and ends as planned and nobody does anything:
// in UTC, the broken one's if it is broken already. Zero: the promise is not owed, or nothing that is planned lets its
// clock run again.
func Expected(t Ticket, d Desk) (policy.Promises, error) {
	s := &story{t: t, desk: d}
	dues := map[policy.ClockName]time.Time{}
	for {
		edge, more := NextEdge(s.t, d.Gate)
		for _, name := range policy.ClockNames() {
			if _, known := dues[name]; known {
				continue
			}
			if due, sure := expected(*s.t.Promise(name), edge, more); sure {
				dues[name] = due
			}
		}
		if len(dues) == len(policy.ClockNames()) || s.err != nil {
			break
		}
		s.applyTransition(edge)
	}
	_, err := s.result()
	return policy.Promises{FirstResponse: dues[policy.FirstResponse], Resolution: dues[policy.Resolution]}, err
}

// GoesOn is when the emergencies that stop a ticket's clocks will be over, if each ends as planned; zero: nothing stops
// them, or something has no end yet.
func GoesOn(t Ticket, d Desk) (time.Time, error) {
	s := &story{t: t, desk: d}
	for s.err == nil && s.t.InEmergency() {
		e, ok := NextEdge(s.t, d.Gate)
		if !ok {
			return time.Time{}, nil
		}
		s.applyTransition(e)
	}
	_, err := s.result()
	return s.at, err
}

// expected is a promise's deadline if it comes before the gate's next edge, and false if that may change it.
func expected(p Promise, edge Edge, more bool) (time.Time, bool) {
	due, runs := p.Clock.Due()
	switch {
	case !p.MetAt.IsZero(), p.Clock.Settled():
		return time.Time{}, true
	case !p.BreachedAt.IsZero():
		return p.BreachedAt, true
	case !more:
		return due, true
	default:
		return due, runs && due.Before(edge.At)
	}
}
