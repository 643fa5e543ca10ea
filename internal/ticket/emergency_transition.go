package ticket

import (
	"cmp"
	"slices"
	"time"
)

// Transition is an instant at which an emergency changes something for open tickets.
type Transition struct {
	At        time.Time   `json:"at"`
	Verb      Verb        `json:"verb"` // emergency-pause, emergency-extend or emergency-resume
	Emergency EmergencyID `json:"emergency"`
}

// transitionOrder orders transitions of one instant. Pauses come before resumptions, so that clocks do not resume between
// two adjacent emergencies.
var transitionOrder = []Verb{VerbEmergencyPause, VerbEmergencyExtend, VerbEmergencyResume}

func compareTransitions(a, b Transition) int {
	return cmp.Or(a.At.Compare(b.At),
		slices.Index(transitionOrder, a.Verb)-slices.Index(transitionOrder, b.Verb), cmp.Compare(a.Emergency, b.Emergency))
}

// Transitions returns the transitions of all emergencies in order of time.
func (g EmergencySchedule) Transitions() []Transition {
	var transitions []Transition
	for _, e := range g.Emergencies {
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
func (g EmergencySchedule) HasTransition(after, until time.Time) bool {
	return slices.ContainsFunc(g.Transitions(), func(e Transition) bool { return e.At.After(after) && !e.At.After(until) })
}

// ActiveAt returns the emergencies that are active at an instant.
func (g EmergencySchedule) ActiveAt(at time.Time) []Emergency {
	var all []Emergency
	for _, e := range g.Emergencies {
		if e.ActiveAt(at) {
			all = append(all, e)
		}
	}
	return all
}

// NextTransition returns the next transition to apply to a ticket, in the past or ahead, and false if there is none. The
// ticket's emergency periods say what has been applied, so each transition is applied once.
func NextTransition(t Ticket, g EmergencySchedule) (Transition, bool) {
	if t.Submitted.IsZero() || t.Closed() {
		return Transition{}, false
	}
	var transitions []Transition
	for _, e := range g.Emergencies {
		if next, ok := e.nextTransition(t); ok {
			transitions = append(transitions, next)
		}
	}
	for _, s := range t.Emergencies {
		if s.active() && s.ID.Valid() && !g.contains(s.ID) { // an emergency that does not exist pauses nothing
			transitions = append(transitions, Transition{s.From, VerbEmergencyResume, s.ID})
		}
	}
	if len(transitions) == 0 {
		return Transition{}, false
	}
	return slices.MinFunc(transitions, compareTransitions), true
}

func (g EmergencySchedule) contains(id EmergencyID) bool {
	return slices.ContainsFunc(g.Emergencies, func(e Emergency) bool { return e.ID == id })
}

// nextTransition returns the emergency's next transition for a ticket, and false if there is none.
func (e Emergency) nextTransition(t Ticket) (Transition, bool) {
	period, seen := t.period(e.ID)
	over := !e.Until.IsZero() && !e.Until.After(t.Submitted)
	switch {
	case !seen && over:
		return Transition{}, false
	case e.Kind == EmergencyDelayed:
		return e.nextDelay(t, period, seen)
	case !seen:
		return Transition{notBefore(e.From, t.Submitted), VerbEmergencyPause, e.ID}, true
	case period.active() && !e.Until.IsZero():
		return Transition{e.Until, VerbEmergencyResume, e.ID}, true
	}
	return Transition{}, false
}

// nextDelay returns the first change of the delay that the ticket has not had.
func (e Emergency) nextDelay(t Ticket, period EmergencyPeriod, seen bool) (Transition, bool) {
	if !seen {
		period.Until = notBefore(e.From, t.Submitted)
		if e.delay(period.Until) != 0 {
			return Transition{period.Until, VerbEmergencyExtend, e.ID}, true
		}
	}
	for _, d := range e.Delays {
		if d.From.After(period.Until) && d.By != period.By && (e.Until.IsZero() || d.From.Before(e.Until)) {
			return Transition{d.From, VerbEmergencyExtend, e.ID}, true
		}
	}
	return Transition{}, false
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
