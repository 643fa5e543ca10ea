package ticket

import (
	"cmp"
	"slices"
	"time"
)

// Edge is an instant at which an emergency changes something for open tickets.
type Edge struct {
	At        time.Time   `json:"at"`
	Verb      Verb        `json:"verb"` // emergency-pause, emergency-extend or emergency-resume
	Emergency EmergencyID `json:"emergency"`
}

// transitionOrder orders transitions of one instant. Pauses come before resumptions, so that clocks do not resume between
// two adjacent emergencies.
var transitionOrder = []Verb{VerbEmergencyPause, VerbEmergencyExtend, VerbEmergencyResume}

func compareTransitions(a, b Edge) int {
	return cmp.Or(a.At.Compare(b.At),
		slices.Index(transitionOrder, a.Verb)-slices.Index(transitionOrder, b.Verb), cmp.Compare(a.Emergency, b.Emergency))
}

// Edges returns the transitions of all emergencies in order of time.
func (g Gate) Edges() []Edge {
	var edges []Edge
	for _, e := range g.Emergencies {
		if e.Kind == EmergencyClosed {
			edges = append(edges, Edge{At: e.From, Verb: VerbEmergencyPause, Emergency: e.ID})
		}
		for _, d := range e.Delays {
			edges = append(edges, Edge{At: d.From, Verb: VerbEmergencyExtend, Emergency: e.ID})
		}
		if !e.Until.IsZero() {
			edges = append(edges, Edge{At: e.Until, Verb: VerbEmergencyResume, Emergency: e.ID})
		}
	}
	slices.SortStableFunc(edges, func(a, b Edge) int {
		return cmp.Or(a.At.Compare(b.At), cmp.Compare(a.Emergency, b.Emergency))
	})
	return edges
}

// HasEdge reports whether a transition lies in (after, until].
func (g Gate) HasEdge(after, until time.Time) bool {
	return slices.ContainsFunc(g.Edges(), func(e Edge) bool { return e.At.After(after) && !e.At.After(until) })
}

// InForce returns the emergencies that are active at an instant.
func (g Gate) InForce(at time.Time) []Emergency {
	var all []Emergency
	for _, e := range g.Emergencies {
		if e.Covers(at) {
			all = append(all, e)
		}
	}
	return all
}

// NextEdge returns the next transition to apply to a ticket, in the past or ahead, and false if there is none. The
// ticket's emergency periods say what has been applied, so each transition is applied once.
func NextEdge(t Ticket, g Gate) (Edge, bool) {
	if t.Submitted.IsZero() || t.Closed() {
		return Edge{}, false
	}
	var edges []Edge
	for _, e := range g.Emergencies {
		if edge, ok := e.nextTransition(t); ok {
			edges = append(edges, edge)
		}
	}
	for _, s := range t.Emergencies {
		if s.active() && s.ID.Valid() && !g.contains(s.ID) { // an emergency that does not exist pauses nothing
			edges = append(edges, Edge{s.From, VerbEmergencyResume, s.ID})
		}
	}
	if len(edges) == 0 {
		return Edge{}, false
	}
	return slices.MinFunc(edges, compareTransitions), true
}

func (g Gate) contains(id EmergencyID) bool {
	return slices.ContainsFunc(g.Emergencies, func(e Emergency) bool { return e.ID == id })
}

// nextTransition returns the emergency's next transition for a ticket, and false if there is none.
func (e Emergency) nextTransition(t Ticket) (Edge, bool) {
	stay, seen := t.period(e.ID)
	over := !e.Until.IsZero() && !e.Until.After(t.Submitted)
	switch {
	case !seen && over:
		return Edge{}, false
	case e.Kind == EmergencyDelayed:
		return e.nextDelay(t, stay, seen)
	case !seen:
		return Edge{notBefore(e.From, t.Submitted), VerbEmergencyPause, e.ID}, true
	case stay.active() && !e.Until.IsZero():
		return Edge{e.Until, VerbEmergencyResume, e.ID}, true
	}
	return Edge{}, false
}

// nextDelay returns the first change of the delay that the ticket has not had.
func (e Emergency) nextDelay(t Ticket, stay Stay, seen bool) (Edge, bool) {
	if !seen {
		stay.Until = notBefore(e.From, t.Submitted)
		if e.delay(stay.Until) != 0 {
			return Edge{stay.Until, VerbEmergencyExtend, e.ID}, true
		}
	}
	for _, d := range e.Delays {
		if d.From.After(stay.Until) && d.By != stay.By && (e.Until.IsZero() || d.From.Before(e.Until)) {
			return Edge{d.From, VerbEmergencyExtend, e.ID}, true
		}
	}
	return Edge{}, false
}

// delay returns how much longer the emergency makes targets, as of an instant.
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
