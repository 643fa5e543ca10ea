package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MostShifts is the maximum number of promises that a dry run lists.
const MostShifts = 50

// DryRun is the computed effect of declaring or changing an emergency, if nothing else changes.
type DryRun struct {
	At     time.Time  // when the change would take effect
	Before *Emergency // nil: a new one would be declared
	After  Emergency
	AffectedCount

	Examined int // tickets whose deadlines were computed: all, or a random sample
	Clocks   []ClockShift
	Soonest  []Shift // of the tickets computed, those with the earliest deadlines without the change

	Announces AnnouncementKind // the announcement sent at once; empty: none
	Upcoming  []Occasion       // announcements that follow later

	Rate     float64       // signals per second of the fan-out
	Measured time.Time     // when Rate was measured; zero: it is assumed
	Fanout   time.Duration // estimated time until every open ticket is signaled
}

// Sampled reports whether the deadlines of only some of the tickets were computed.
func (d DryRun) Sampled() bool { return d.Examined < d.Owed }

// Estimate extrapolates a count in the sample to all tickets.
func (d DryRun) Estimate(n int) int {
	if d.Examined == 0 {
		return 0
	}
	return (n*d.Owed + d.Examined/2) / d.Examined
}

// Occasion is a future announcement.
type Occasion struct {
	Announces AnnouncementKind
	At        time.Time
}

// ClockShift counts how the change would move the deadlines of one of the two clocks.
type ClockShift struct {
	Clock    policy.ClockName
	Later    int // due later
	Sooner   int // due earlier
	Stopped  int // loses its deadline until the emergency is lifted
	Dated    int // gains a deadline
	Same     int // unchanged
	Waiting  int // paused while waiting for the requester, in either case
	Breached int // already breached and not met

	Least, Most      time.Duration // range of the shifts of Later and Sooner; those of Sooner are negative
	Earliest, Latest time.Time     // range of the new deadlines of Later, Sooner and Dated
}

// Moved returns how many deadlines would change.
func (c ClockShift) Moved() int { return c.Later + c.Sooner + c.Stopped + c.Dated }

// Shift is a deadline that would change.
type Shift struct {
	Number ticket.Number
	Clock  policy.ClockName
	Before time.Time // zero: its clock is paused now
	After  time.Time // zero: its clock would be paused until the emergency is lifted
}

// By returns by how much the deadline would move, and 0 if Before or After is zero.
func (s Shift) By() time.Duration {
	if s.Before.IsZero() || s.After.IsZero() {
		return 0
	}
	return s.After.Sub(s.Before)
}

// AffectedCount counts the tickets and requesters that an emergency affects.
type AffectedCount struct {
	Open       int // tickets that are not closed; the fan-out signals each
	Owed       int // of Open, those that are not resolved
	Requesters int // customers with a ticket in Owed whose accounts are not disabled; each receives one mail
	Breached   int // of Owed, those that are overdue
}

// OpenTicket is a stored ticket that is neither resolved nor closed.
type OpenTicket struct {
	Number     ticket.Number
	Policy     int64
	Requester  ticket.PersonID
	Submission ticket.Command
	State      *ticket.Ticket // nil: accepted, before its first step
}

// DeliveryCounts counts the mails of an emergency's announcements by status.
type DeliveryCounts struct {
	Owed, Sent, Bounced, Superseded int
	Held                            int       // see DeliveryHeld
	Last                            time.Time // when the last one reached a final status; zero: none has
}

// All returns the total.
func (p DeliveryCounts) All() int { return p.Held + p.Owed + p.Sent + p.Bounced + p.Superseded }
