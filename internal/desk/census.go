package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Census counts those whom an emergency concerns.
type Census struct {
	Open       int // tickets that are not closed: each of them is told
	Owed       int // of them, those that aren't resolved: promises are owed on these
	Requesters int // people who are written to: customers who are let in and have at least one of those, one mail each
	Broken     int // of those, tickets with a promise that is broken and owed still
}

// OpenTicket is a ticket with promises that are owed, as it is stored.
type OpenTicket struct {
	Number     ticket.Number
	Policy     int64
	Requester  ticket.PersonID
	Submission ticket.Command
	State      *ticket.Ticket // nil: accepted, and no step has taken it yet
}

// Postbag counts the mails of an emergency's announcements.
type Postbag struct {
	Owed, Sent, Bounced, Superseded int
	Held                            int       // until the recipient's tickets are as the gate wants them
	Last                            time.Time // when the last one was settled; zero: none was
}

// All is how many mails there are in all.
func (p Postbag) All() int { return p.Held + p.Owed + p.Sent + p.Bounced + p.Superseded }
