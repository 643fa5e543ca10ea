package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ImportTicket is a ticket with what was asked of it so far, as another product knew it or a demonstration has it. What
// came of that (refusals, reminders, breaches, mails, its present state) is not part of it: it follows from the policy and
// is worked out by the import.
type ImportTicket struct {
	Number  ticket.Number  // in the shape of ticket.NewNumber
	Policy  int64          // the version it counts as accepted under; 0 is the one in force
	Order   string         // the shop's order number, may be empty
	Follows ticket.Number  // the ticket that this one follows up, may be empty; it exists, or is in the same import
	Actions []ImportAction // at least one; the first is the submission

	Rating *Rating // its requester's in the end; its Number is ignored; nil: none

	// Undeliverable says, by recipient, why no mail of this ticket could be delivered to them; empty: all were.
	Undeliverable map[ticket.PersonID]string
}

// ImportAction is one thing that was asked of a ticket.
type ImportAction struct {
	By       Person // who exists: their ID, role and handle count
	At       time.Time
	Verb     ticket.Verb
	Subject  string          // submission
	Body     string          // the words; empty if the verb needs none
	Agent    Person          // assign: who gets it; zero: By
	Priority policy.Priority // submission, reclassify
	Category string          // likewise
}
