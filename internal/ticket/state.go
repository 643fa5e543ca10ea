package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// State is what PostgreSQL keeps of a ticket after a step.
type State struct {
	Ticket  Ticket `json:"ticket"`
	Command int64  `json:"command"` // number of the last command taken
	Mails   int    `json:"mails"`   // number of the last mail owed
	Next    Moment `json:"next,omitzero"`
	Rung    int    `json:"rung,omitempty"`   // see Ticket.Rung
	Paused  bool   `json:"paused,omitempty"` // see Ticket.Paused
	Shown   *Shown `json:"shown,omitempty"`  // nil: kept before there was one
}

// Keep is the state that a workflow is handed after a step: the ticket, how far commands and mails have got, and
// the next moment with a label that says what is left at this instant.
func Keep(t Ticket, p *policy.Policy, command int64, mails int, now time.Time) State {
	s := State{Ticket: t, Command: command, Mails: mails, Rung: t.Rung(), Paused: t.Paused(), Shown: t.shown()}
	if next, ok := Next(t, p); ok {
		next.Label = dueLabel(t, p, next, now)
		s.Next = next
	}
	return s
}

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
