package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Chronicle is a ticket's whole past as it was asked for: what another product knew of it, or what a demonstration
// tells. What came of it (refusals, reminders, breaches, mails, where it stands now) is not part of it: that follows
// from the policy, and is worked out when it is imported.
type Chronicle struct {
	Number  ticket.Number // in the shape of ticket.NewNumber
	Policy  int64         // the version it counts as accepted under; 0 is the one in force
	Order   string        // the shop's order number, may be empty
	Follows ticket.Number // the ticket that this one follows up, may be empty; there already, or in the same import
	Deeds   []Deed        // at least one; the first is the submission

	Rating *Rating // what its requester thought of it in the end; its Number is not looked at; nil: nothing

	// Undeliverable gives, by recipient, why no mail of this ticket could be delivered to them; empty: all were.
	Undeliverable map[ticket.PersonID]string
}

// Deed is one thing that somebody asked of a ticket.
type Deed struct {
	By       Person // somebody the desk knows: their ID, role and handle count
	At       time.Time
	Verb     ticket.Verb
	Subject  string          // submission
	Body     string          // the words; empty where the verb needs none
	Agent    Person          // assign: who gets it; zero: By
	Priority policy.Priority // submission, reclassify
	Category string          // likewise
}
