package ticket_test

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tower is what the oracle knows of the desk's emergencies: it looks at the gate's stretches and at nothing that the
// code under test made of them. What the timeline tells of them must be just that.
type emergencyOracle struct {
	schedule  func() ticket.Gate
	submitted time.Time
	begun     map[string]bool
	ended     map[string]bool
	delays    map[string]time.Duration // checked so far, in all
}

func newEmergencyOracle(gate func() ticket.Gate) *emergencyOracle {
	return &emergencyOracle{schedule: gate, begun: map[string]bool{}, ended: map[string]bool{}, delays: map[string]time.Duration{}}
}

// shut reports whether the gate stops clocks at an instant.
func (o *emergencyOracle) closed(at time.Time) bool {
	for _, e := range o.schedule().Emergencies {
		if e.Kind == ticket.EmergencyClosed && !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until)) {
			return true
		}
	}
	return false
}

// transitions lists the instants in (from, to] at which anything of the gate changes, in no order.
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

// delayAt is how much longer an emergency makes targets at an instant that it covers.
func delayAt(e ticket.Emergency, at time.Time) time.Duration {
	var by time.Duration
	for _, d := range e.Delays {
		if !d.From.After(at) {
			by = d.By
		}
	}
	return by
}

// missing says what the timeline should have told by an instant, and has not. What it tells now it may have told.
func (o *emergencyOracle) missing(by, now time.Time) error {
	if o.submitted.IsZero() || by.Before(o.submitted) {
		return nil
	}
	for _, e := range o.schedule().Emergencies {
		id, over := string(e.ID), !e.Until.IsZero() && !e.Until.After(by)
		switch {
		case !e.Until.IsZero() && !e.Until.After(o.submitted), e.From.After(by):
		case e.Kind == ticket.EmergencyClosed && !o.begun[id]:
			return fmt.Errorf("%s closes the desk at %s, and nothing was told", id, e.From)
		case e.Kind == ticket.EmergencyClosed && over && !o.ended[id]:
			return fmt.Errorf("%s ends at %s, and nothing was told", id, e.Until)
		case e.Kind == ticket.EmergencyDelayed:
			at := by
			if over {
				at = e.Until.Add(-time.Second)
			}
			if want := delayAt(e, at); o.delays[id] != want && o.delays[id] != delayAt(e, now) {
				return fmt.Errorf("%s delays by %s at %s, and %s was told: %+v", id, want, at, o.delays[id], e)
			}
		}
	}
	return nil
}

// judge says whether an edge may be told now.
func (o *emergencyOracle) check(e ticket.Event) error {
	g, known := o.find(e.Emergency)
	if !known {
		return fmt.Errorf("the gate knows no %s", e.Emergency)
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
		return fmt.Errorf("that is not what the gate says: %+v", g)
	}
	return nil
}

// fold takes note of an edge, and gives by how much it makes targets longer.
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
