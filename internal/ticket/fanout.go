package ticket

import (
	"cmp"
	"slices"
	"time"
)

// Outlook is what the workflow Emergency knows of the gate: what is, what comes next, and nothing that anybody wrote.
type Outlook struct {
	Revision int64     `json:"revision"`
	At       time.Time `json:"at"`               // by the database's clock
	Reached  Edge      `json:"reached,omitzero"` // the last edge up to At; zero: there was none
	Next     Edge      `json:"next,omitzero"`    // the first edge after At; zero: nothing is planned
	Until    time.Time `json:"until,omitzero"`   // when something of this changes by itself; zero: never
	Current  []Current `json:"current,omitempty"`
}

// Current is an emergency in force or planned.
type Current struct {
	ID    EmergencyID   `json:"id"`
	Kind  EmergencyKind `json:"kind"`
	From  time.Time     `json:"from"`
	Until time.Time     `json:"until,omitzero"` // zero: until it is lifted
	By    time.Duration `json:"by,omitempty"`   // delayed: how much longer targets are, at the end of what is planned
}

// Outlook gives it as of an instant.
func (g Gate) Outlook(at time.Time) Outlook {
	o := Outlook{Revision: g.Revision, At: at}
	for _, e := range g.Edges() {
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
		c := Current{ID: e.ID, Kind: e.Kind, From: e.From, Until: e.Until}
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

// Edges lists every instant at which something changes for open tickets, in order.
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

// FanoutRequest asks to have open tickets told of an edge for a while.
type FanoutRequest struct {
	Edge  Edge   `json:"transition"`
	Gate  int64  `json:"schedule"`        // revision
	After Number `json:"after,omitempty"` // go on behind this one

	Total int       `json:"total"`              // tickets that are to be told in all
	Told  int       `json:"notified,omitempty"` // before
	Began time.Time `json:"began"`
}

// FanoutResult is how far that came.
type FanoutResult struct {
	After Number `json:"after,omitempty"` // the last one told
	Told  int    `json:"notified"`        // in this while
	Over  bool   `json:"over,omitempty"`  // nobody is left behind After
}

// Proof is what PostgreSQL says of an edge: whether every open ticket is as the gate wants it.
type Proof struct {
	Open   int  `json:"open"`                 // tickets
	Behind int  `json:"behind"`               // of them, not stepped since the edge
	Wrong  int  `json:"wrong,omitempty"`      // of them, stepped since and paused though the gate is open, or the other way: a defect
	Passed bool `json:"superseded,omitempty"` // a later edge is reached: this one is no longer what counts

	Late []Number `json:"late,omitempty"` // the first of those behind or wrong, by number; at most MostNamed
}

// MostNamed bounds the tickets that are named one by one.
const MostNamed = 20

// FanoutPatience is how long a fan-out may take before those whose tickets are right are told, and the others named.
const FanoutPatience = 2 * time.Minute

// EmergencyHand is a signal to the workflow Emergency that a person sent from Temporal UI.
type EmergencyHand struct {
	Key     string `json:"key"` // the same for every delivery of one signal
	Run     string `json:"run"` // the workflow's run that heard it: another one after a reset
	Name    string `json:"name"`
	Payload string `json:"payload,omitempty"` // JSON, not yet looked at
}

// EmergencyFields lists the fields that a command by hand takes; nil: there is no such command.
func EmergencyFields(name string) []string {
	return map[string][]string{
		"declare": {"kind", "seconds", "from", "until"},
		"change":  {"emergency", "seconds", "from", "until"}, "extend": {"emergency", "seconds", "until"},
		"lift": {"emergency"}, "cancel": {"emergency"},
	}[name]
}

// HandResult is what came of it.
type HandResult struct {
	Emergency EmergencyID `json:"emergency,omitempty"`
	Done      string      `json:"done,omitempty"`    // what was done, in words
	Refused   string      `json:"refused,omitempty"` // why it was not
}

// Left is how many tickets are not as the gate wants them.
func (p Proof) Left() int { return p.Behind + p.Wrong }
