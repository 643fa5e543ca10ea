package ticket

import "time"

// EmergencyOutlook is what the emergency workflow knows of the emergency schedule. It holds no text that people wrote.
type EmergencyOutlook struct {
	Revision int64             `json:"revision"`
	At       time.Time         `json:"at"`               // by the database's clock
	Reached  Transition        `json:"reached,omitzero"` // the last transition up to At; zero: none
	Next     Transition        `json:"next,omitzero"`    // the first transition after At; zero: none is planned
	Until    time.Time         `json:"until,omitzero"`   // when the outlook changes by itself; zero: never
	Current  []ActiveEmergency `json:"current,omitempty"`
}

// ActiveEmergency is an active or planned emergency.
type ActiveEmergency struct {
	ID    EmergencyID   `json:"id"`
	Kind  EmergencyKind `json:"kind"`
	From  time.Time     `json:"from"`
	Until time.Time     `json:"until,omitzero"` // zero: until it is lifted
	By    time.Duration `json:"by,omitempty"`   // delayed: the last planned delay of targets
}

// Outlook returns the outlook as of an instant.
func (g EmergencySchedule) Outlook(at time.Time) EmergencyOutlook {
	o := EmergencyOutlook{Revision: g.Revision, At: at}
	for _, e := range g.Transitions() {
		if e.At.After(at) {
			o.Next, o.Until = e, e.At
			break
		}
		o.Reached = e
	}
	for _, e := range g.Emergencies {
		if !e.Until.IsZero() && !e.Until.After(at) {
			continue
		}
		c := ActiveEmergency{ID: e.ID, Kind: e.Kind, From: e.From, Until: e.Until}
		if len(e.Delays) > 0 {
			c.By = e.Delays[len(e.Delays)-1].By
		}
		for _, t := range []time.Time{e.From, e.Until} {
			if t.After(at) && (o.Until.IsZero() || t.Before(o.Until)) {
				o.Until = t
			}
		}
		o.Current = append(o.Current, c)
	}
	return o
}
