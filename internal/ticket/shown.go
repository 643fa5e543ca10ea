package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Shown is what a supervisor looks tickets up by, beyond what State says of them anyway. States kept before it was
// introduced have none.
type Shown struct {
	Promise    policy.ClockName `json:"promise,omitempty"`    // the next one to be kept: it runs, and is neither given nor broken
	PromiseDue time.Time        `json:"promise_due,omitzero"` // its deadline
	Breached   bool             `json:"breached,omitempty"`   // a promise was broken and has not been given since
	PausedFor  []policy.Reason  `json:"paused_for,omitempty"` // why promises that are owed stand still, sorted; none: nothing does
	Unheard    bool             `json:"unheard,omitempty"`    // see Ticket.Unheard
	Emergency  EmergencyID      `json:"emergency,omitempty"`  // see Ticket.Held
}

func (t *Ticket) shown() *Shown {
	s := &Shown{Breached: t.Breached(), Emergency: t.Held(), Unheard: t.Unheard()}
	s.Promise, s.PromiseDue = t.NextPromise()
	for _, name := range policy.ClockNames() {
		p := t.Promise(name)
		if p.MetAt.IsZero() {
			s.PausedFor = append(s.PausedFor, p.Clock.Reasons()...)
		}
	}
	slices.Sort(s.PausedFor)
	s.PausedFor = slices.Compact(s.PausedFor)
	return s
}

// NextPromise is the promise that is due first of those that run and are neither given nor broken, and its deadline.
// Both are zero without one.
func (t *Ticket) NextPromise() (policy.ClockName, time.Time) {
	var next policy.ClockName
	var earliest time.Time
	for _, name := range policy.ClockNames() {
		p := t.Promise(name)
		due, runs := p.Clock.Due()
		if !runs || t.Closed() || !p.BreachedAt.IsZero() || p.Clock.Settled() || !p.Clock.Running() {
			continue
		}
		if next == "" || due.Before(earliest) {
			next, earliest = name, due
		}
	}
	return next, earliest
}

// Breached reports whether a promise was broken and has not been given since.
func (t *Ticket) Breached() bool {
	for _, name := range policy.ClockNames() {
		if p := t.Promise(name); !p.BreachedAt.IsZero() && p.MetAt.IsZero() {
			return true
		}
	}
	return false
}
