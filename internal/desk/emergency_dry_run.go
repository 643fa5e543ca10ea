package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MostShifts is how many promises a dry run lists.
const MostShifts = 50

// DryRun says what an emergency, or a change of one, would do, if nobody did anything else.
type DryRun struct {
	At     time.Time  // as of when
	Before *Emergency // nil: it would be a new one
	After  Emergency
	AffectedCount

	Looked  int // tickets whose promises were computed: Owed of them, or a fair sample
	Clocks  []ClockShift
	Soonest []Shift // those that would be due the soonest as things stand, of the tickets looked at

	Announces AnnouncementKind // what requesters would be told by mail soon; empty: nothing
	Upcoming  []Occasion

	Rate     float64       // tickets told a second
	Measured time.Time     // when that was measured; zero: it is an assumption
	Fanout   time.Duration // until every open ticket has been told
}

// Sampled reports whether only some of the tickets were looked at.
func (d DryRun) Sampled() bool { return d.Looked < d.Owed }

// Estimate projects a number among the tickets looked at onto all of them.
func (d DryRun) Estimate(n int) int {
	if d.Looked == 0 {
		return 0
	}
	return (n*d.Owed + d.Looked/2) / d.Looked
}

// Occasion is a mail to every requester later on.
type Occasion struct {
	Announces AnnouncementKind
	At        time.Time
}

// ClockShift counts what would become of one of the two promises.
type ClockShift struct {
	Clock    policy.ClockName
	Later    int // due later than as things stand
	Sooner   int // due sooner
	Stopped  int // without a date, until it is lifted
	Dated    int // has no date as things stand, and would have one
	Same     int // neither
	Waiting  int // stands still for its requester, whatever happens
	Breached int // broken already, and owed still

	Least, Most      time.Duration // of the shifts by which they'd be later or sooner: both from the sooner to the later
	Earliest, Latest time.Time     // deadlines of those that would be due later or sooner, afterwards
}

// AffectedTicket is how many would have another deadline, or none.
func (c ClockShift) Moved() int { return c.Later + c.Sooner + c.Stopped + c.Dated }

// Shift is one promise that would move.
type Shift struct {
	Number ticket.Number
	Clock  policy.ClockName
	Before time.Time // zero: it stands still as things stand
	After  time.Time // zero: it would stand still until the emergency is lifted
}

// By is how much later it would be; 0 when one of both has no date.
func (s Shift) By() time.Duration {
	if s.Before.IsZero() || s.After.IsZero() {
		return 0
	}
	return s.After.Sub(s.Before)
}

// AffectedCount counts those whom an emergency concerns.
type AffectedCount struct {
	Open       int // tickets that are not closed: each of them is told
	Owed       int // of them, those that aren't resolved: promises are owed on these
	Requesters int // people who are written to: customers who are let in and have at least one of those, one mail each
	Breached   int // of those, tickets with a promise that is broken and owed still
}

// OpenTicket is a ticket with promises that are owed, as it is stored.
type OpenTicket struct {
	Number     ticket.Number
	Policy     int64
	Requester  ticket.PersonID
	Submission ticket.Command
	State      *ticket.Ticket // nil: accepted, and no step has taken it yet
}

// DeliveryCounts counts the mails of an emergency's announcements.
type DeliveryCounts struct {
	Owed, Sent, Bounced, Superseded int
	Held                            int       // until the recipient's tickets are as the gate wants them
	Last                            time.Time // when the last one was settled; zero: none was
}

// All is how many mails there are in all.
func (p DeliveryCounts) All() int { return p.Held + p.Owed + p.Sent + p.Bounced + p.Superseded }
