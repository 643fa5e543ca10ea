package ticket_test

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencyOracle is the oracle of desk-wide emergencies. It knows only the schedule and checks that the timeline has
// exactly its transitions.
type emergencyOracle struct {
	schedule  func() ticket.EmergencySchedule
	submitted time.Time
	begun     map[string]bool
	ended     map[string]bool
	delays    map[string]time.Duration // recorded so far, in all
}

func newEmergencyOracle(schedule func() ticket.EmergencySchedule) *emergencyOracle {
	return &emergencyOracle{schedule: schedule, begun: map[string]bool{}, ended: map[string]bool{}, delays: map[string]time.Duration{}}
}

// closed reports whether clocks are paused at an instant.
func (o *emergencyOracle) closed(at time.Time) bool {
	for _, e := range o.schedule().Emergencies {
		if e.Kind == ticket.EmergencyClosed && !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until)) {
			return true
		}
	}
	return false
}

// transitions returns the instants in (from, to] at which the schedule changes something, in any order.
func (o *emergencyOracle) transitions(from, to time.Time) []time.Time {
	var all []time.Time
	add := func(at time.Time) {
		if at.After(from) && !at.After(to) {
			all = append(all, at)
		}
	}
	for _, e := range o.schedule().Emergencies {
		add(e.From)
		add(e.Until)
		for _, d := range e.Delays {
			add(d.From)
		}
	}
	return all
}

func (o *emergencyOracle) find(id string) (ticket.Emergency, bool) {
	for _, e := range o.schedule().Emergencies {
		if string(e.ID) == id {
			return e, true
		}
	}
	return ticket.Emergency{}, false
}

// delayAt returns how much longer an emergency makes targets at an instant that it covers.
func delayAt(e ticket.Emergency, at time.Time) time.Duration {
	var by time.Duration
	for _, d := range e.Delays {
		if !d.From.After(at) {
			by = d.By
		}
	}
	return by
}

// missing returns an error for a transition that the timeline should have by an instant and has not. A delay that changes
// now may already be recorded.
func (o *emergencyOracle) missing(by, now time.Time) error {
	if o.submitted.IsZero() || by.Before(o.submitted) {
		return nil
	}
	for _, e := range o.schedule().Emergencies {
		id, over := string(e.ID), !e.Until.IsZero() && !e.Until.After(by)
		switch {
		case !e.Until.IsZero() && !e.Until.After(o.submitted), e.From.After(by):
		case e.Kind == ticket.EmergencyClosed && !o.begun[id]:
			return fmt.Errorf("%s closes the desk at %s, and no event says so", id, e.From)
		case e.Kind == ticket.EmergencyClosed && over && !o.ended[id]:
			return fmt.Errorf("%s ends at %s, and no event says so", id, e.Until)
		case e.Kind == ticket.EmergencyDelayed:
			at := by
			if over {
				at = e.Until.Add(-time.Second)
			}
			if want := delayAt(e, at); o.delays[id] != want && o.delays[id] != delayAt(e, now) {
				return fmt.Errorf("%s delays by %s at %s, and the event says %s: %+v", id, want, at, o.delays[id], e)
			}
		}
	}
	return nil
}

// check checks the event of a transition against the schedule.
func (o *emergencyOracle) check(e ticket.Event) error {
	g, known := o.find(e.Emergency)
	if !known {
		return fmt.Errorf("the schedule knows no %s", e.Emergency)
	}
	begins := g.From
	if begins.Before(o.submitted) {
		begins = o.submitted
	}
	inside := !e.At.Before(begins) && (g.Until.IsZero() || e.At.Before(g.Until))
	turn := e.At.Equal(begins)
	for _, d := range g.Delays {
		turn = turn || e.At.Equal(d.From)
	}
	ok := false
	switch e.Kind {
	case ticket.EventPaused:
		ok = g.Kind == ticket.EmergencyClosed && !o.begun[e.Emergency] && inside && turn
	case ticket.EventResumed:
		ok = o.begun[e.Emergency] && !o.ended[e.Emergency] && e.At.Equal(g.Until)
	case ticket.EventExtended:
		ok = g.Kind == ticket.EmergencyDelayed && inside && turn && e.Delay == delayAt(g, e.At) && e.Delay != o.delays[e.Emergency]
	}
	if !ok {
		return fmt.Errorf("that is not what the schedule says: %+v", g)
	}
	return nil
}

// fold adds the event of a transition and returns by how much it changes targets.
func (o *emergencyOracle) fold(e ticket.Event) time.Duration {
	switch e.Kind {
	case ticket.EventPaused:
		o.begun[e.Emergency] = true
	case ticket.EventResumed:
		o.ended[e.Emergency] = true
	case ticket.EventExtended:
		by := e.Delay - o.delays[e.Emergency]
		o.delays[e.Emergency] = e.Delay
		return by
	}
	return 0
}
