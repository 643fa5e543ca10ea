package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ImportTicket is a ticket of another product, or of the demonstration, with the actions on it. Their effects (refusals,
// reminders, breaches, mails, the current state) are not part of it: the import computes them from the policy.
type ImportTicket struct {
	Number  ticket.Number  // in the shape of ticket.NewNumber
	Policy  int64          // the policy version that it is pinned to; 0: the one in force
	Order   string         // order number in the shop, may be empty
	Follows ticket.Number  // the ticket of which this is a follow-up, may be empty; it exists, or is in the same import
	Actions []ImportAction // at least one; the first is the submission

	Rating *Rating // its Number is ignored; nil: none

	// Undeliverable maps recipients to the reason why no mail about the ticket could be delivered to them.
	Undeliverable map[ticket.PersonID]string
}

// ImportAction is one command on an imported ticket.
type ImportAction struct {
	By       Person // must exist; only ID, role and handle are used
	At       time.Time
	Verb     ticket.Verb
	Subject  string          // submission
	Body     string          // the message; empty if the verb needs none
	Format   Format          // of Body
	Agent    Person          // assign: the new assignee; zero: By
	Priority policy.Priority // submission, reclassify
	Category string          // likewise
}
