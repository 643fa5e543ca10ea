package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// State is the state of a ticket after a step, as it is stored in PostgreSQL.
type State struct {
	Ticket         Ticket        `json:"ticket"`
	Command        int64         `json:"command"` // number of the last command decided
	LastDelivery   int           `json:"mails"`   // number of the last delivery, a mail or webhook call
	Next           DueEvent      `json:"next,omitzero"`
	EscalationStep int           `json:"escalation_step,omitempty"` // see Ticket.EscalationStep
	Paused         bool          `json:"paused,omitempty"`          // see Ticket.Paused
	SearchFields   *SearchFields `json:"search_fields,omitempty"`   // nil in states stored before it was introduced
}

// NewState returns the state to store after a step. command and mails are the numbers of the last command decided and of the
// last delivery owed. The label of the next due event says how much time remains at now.
func NewState(t Ticket, p *policy.Policy, command int64, mails int, now time.Time) State {
	s := State{Ticket: t, Command: command, LastDelivery: mails, EscalationStep: t.EscalationStep(), Paused: t.Paused(), SearchFields: t.searchFields()}
	if next, ok := Next(t, p); ok {
		next.Label = dueLabel(t, p, next, now)
		s.Next = next
	}
	return s
}

// SearchFields holds what supervisors filter tickets by in Temporal, beyond the other fields of State.
type SearchFields struct {
	Promise        policy.ClockName `json:"promise,omitempty"`           // see Ticket.NextPromise
	PromiseDue     time.Time        `json:"promise_due,omitzero"`        // its deadline
	Breached       bool             `json:"breached,omitempty"`          // see Ticket.Breached
	PausedFor      []policy.Reason  `json:"paused_for,omitempty"`        // why pending promises are paused, sorted
	AwaitsDelivery bool             `json:"awaiting_delivery,omitempty"` // see Ticket.AwaitsDelivery
	Emergency      EmergencyID      `json:"emergency,omitempty"`         // see Ticket.PausingEmergency
}

func (t *Ticket) searchFields() *SearchFields {
	s := &SearchFields{Breached: t.Breached(), Emergency: t.PausingEmergency(), AwaitsDelivery: t.AwaitsDelivery()}
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

// NextPromise returns the pending promise that is due first, of those whose clocks run, and its deadline. Both are zero
// if there is none.
func (t *Ticket) NextPromise() (policy.ClockName, time.Time) {
	var next policy.ClockName
	var earliest time.Time
	for _, name := range policy.ClockNames() {
		p := t.Promise(name)
		due, runs := p.Clock.Due()
		if !runs || t.Closed() || !p.BreachedAt.IsZero() || p.Clock.Met() || !p.Clock.Running() {
			continue
		}
		if next == "" || due.Before(earliest) {
			next, earliest = name, due
		}
	}
	return next, earliest
}

// Breached reports whether a promise was breached and has not been met since.
func (t *Ticket) Breached() bool {
	for _, name := range policy.ClockNames() {
		if p := t.Promise(name); !p.BreachedAt.IsZero() && p.MetAt.IsZero() {
			return true
		}
	}
	return false
}
