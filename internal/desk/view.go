package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// View is a ticket to be shown: what is stored, its state, and the policy that explains its clocks.
type View struct {
	Record
	Ticket ticket.Ticket
	Next   ticket.DueEvent // zero: nothing falls due by itself
	Policy *policy.Policy
	// Expected is when the promises of a ticket that an emergency stops will be due, if that ends as planned, and ResumesAt
	// is that end.
	Expected  policy.Deadlines
	ResumesAt time.Time
}

// Decided reports whether every command accepted so far has been taken.
func (v View) Decided() bool { return v.State != nil && v.State.Command >= v.Pending }

// Entries is the number of the last entry of the ticket's timeline, for commands that say what their writer had seen. The
// submission counts also before the first step has recorded it.
func (v View) Entries() int {
	if v.State == nil {
		return 1
	}
	return v.State.Ticket.Events
}

// Promised returns both promises as they stand.
func (v View) Promised() Promised { return PromisedOf(v.Ticket, v.Expected, v.ResumesAt) }

// Gauge measures a promise at an instant.
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

// Explain tells a clock's ledger line by line, up to an instant.
func (v View) Explain(name policy.ClockName, until time.Time) []policy.Line {
	return v.Ticket.Promise(name).Clock.Explain(v.Policy.Calendar, until)
}
