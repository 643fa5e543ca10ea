package ticket_test

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tower is what the oracle knows of the desk's emergencies: it looks at the gate's stretches and at nothing that the
// code under test made of them. What the timeline tells of them must be just that.
type tower struct {
	gate      func() ticket.Gate
	submitted time.Time
	begun     map[string]bool
	ended     map[string]bool
	delays    map[string]time.Duration // told so far, in all
}

func newTower(gate func() ticket.Gate) *tower {
	return &tower{gate: gate, begun: map[string]bool{}, ended: map[string]bool{}, delays: map[string]time.Duration{}}
}

// shut reports whether the gate stops clocks at an instant.
func (w *tower) shut(at time.Time) bool {
	for _, e := range w.gate().Emergencies {
		if e.Kind == ticket.EmergencyClosed && !at.Before(e.From) && (e.Until.IsZero() || at.Before(e.Until)) {
			return true
		}
	}
	return false
}

// turns lists the instants in (from, to] at which anything of the gate changes, in no order.
func (w *tower) turns(from, to time.Time) []time.Time {
	var all []time.Time
	add := func(at time.Time) {
		if at.After(from) && !at.After(to) {
			all = append(all, at)
		}
	}
	for _, e := range w.gate().Emergencies {
		add(e.From)
		add(e.Until)
		for _, d := range e.Delays {
			add(d.From)
		}
	}
	return all
}

func (w *tower) find(id string) (ticket.Emergency, bool) {
	for _, e := range w.gate().Emergencies {
		if string(e.ID) == id {
			return e, true
		}
	}
	return ticket.Emergency{}, false
}

// longer is how much longer an emergency makes targets at an instant that it covers.
func longer(e ticket.Emergency, at time.Time) time.Duration {
	var by time.Duration
	for _, d := range e.Delays {
		if !d.From.After(at) {
			by = d.By
		}
	}
	return by
}

// untold says what the timeline should have told by an instant, and has not. What it tells now it may have told.
func (w *tower) untold(by, now time.Time) error {
	if w.submitted.IsZero() || by.Before(w.submitted) {
		return nil
	}
	for _, e := range w.gate().Emergencies {
		id, over := string(e.ID), !e.Until.IsZero() && !e.Until.After(by)
		switch {
		case !e.Until.IsZero() && !e.Until.After(w.submitted), e.From.After(by):
		case e.Kind == ticket.EmergencyClosed && !w.begun[id]:
			return fmt.Errorf("%s closes the desk at %s, and nothing was told", id, e.From)
		case e.Kind == ticket.EmergencyClosed && over && !w.ended[id]:
			return fmt.Errorf("%s ends at %s, and nothing was told", id, e.Until)
		case e.Kind == ticket.EmergencyDelayed:
			at := by
			if over {
				at = e.Until.Add(-time.Second)
			}
			if want := longer(e, at); w.delays[id] != want && w.delays[id] != longer(e, now) {
				return fmt.Errorf("%s delays by %s at %s, and %s was told: %+v", id, want, at, w.delays[id], e)
			}
		}
	}
	return nil
}

// judge says whether an edge may be told now.
func (w *tower) judge(e ticket.Event) error {
	g, known := w.find(e.Emergency)
	if !known {
		return fmt.Errorf("the gate knows no %s", e.Emergency)
	}
	begins := g.From
	if begins.Before(w.submitted) {
		begins = w.submitted
	}
	inside := !e.At.Before(begins) && (g.Until.IsZero() || e.At.Before(g.Until))
	turn := e.At.Equal(begins)
	for _, d := range g.Delays {
		turn = turn || e.At.Equal(d.From)
	}
	ok := false
	switch e.Kind {
	case ticket.EventPaused:
		ok = g.Kind == ticket.EmergencyClosed && !w.begun[e.Emergency] && inside && turn
	case ticket.EventResumed:
		ok = w.begun[e.Emergency] && !w.ended[e.Emergency] && e.At.Equal(g.Until)
	case ticket.EventExtended:
		ok = g.Kind == ticket.EmergencyDelayed && inside && turn && e.Delay == longer(g, e.At) && e.Delay != w.delays[e.Emergency]
	}
	if !ok {
		return fmt.Errorf("that is not what the gate says: %+v", g)
	}
	return nil
}

// fold takes note of an edge, and gives by how much it makes targets longer.
func (w *tower) fold(e ticket.Event) time.Duration {
	switch e.Kind {
	case ticket.EventPaused:
		w.begun[e.Emergency] = true
	case ticket.EventResumed:
		w.ended[e.Emergency] = true
	case ticket.EventExtended:
		by := e.Delay - w.delays[e.Emergency]
		w.delays[e.Emergency] = e.Delay
		return by
	}
	return 0
}
