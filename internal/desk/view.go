package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// View is a ticket with its current state and its policy, ready to be shown.
type View struct {
	Record
	Ticket ticket.Ticket
	Next   ticket.DueEvent // zero: none
	Policy *policy.Policy
	// Expected are the deadlines of a ticket whose clocks an emergency pauses, if that ends as planned. ResumesAt is the
	// planned end.
	Expected  policy.Deadlines
	ResumesAt time.Time
}

// Decided reports whether all commands accepted so far are decided.
func (v View) Decided() bool { return v.State != nil && v.State.Command >= v.Pending }

// Entries returns the number of the last entry of the ticket's timeline, for Request.Seen. It counts the submission even
// before the first step has recorded it.
func (v View) Entries() int {
	if v.State == nil {
		return 1
	}
	return v.State.Ticket.Events
}

// Promised returns both promises of the ticket.
func (v View) Promised() Promised { return PromisedOf(v.Ticket, v.Expected, v.ResumesAt) }

// Gauge returns the used part of a promise's budget at an instant, or when the promise was met.
func (v View) Gauge(name policy.ClockName, at time.Time) Gauge {
	clock := v.Ticket.Promise(name).Clock
	if clock.Met() {
		clock = clock.AsMet()
		at = clock.Ledger[len(clock.Ledger)-1].At
	}
	return Gauge{
		SLAState: v.Promised().Promise(name), Settled: clock.Met(),
		Budget: clock.Budget(), Used: clock.Used(v.Policy.Calendar, at),
	}
}

// Explain returns the explanation of a clock's ledger up to an instant, line by line.
func (v View) Explain(name policy.ClockName, until time.Time) []policy.Line {
	return v.Ticket.Promise(name).Clock.Explain(v.Policy.Calendar, until)
}
