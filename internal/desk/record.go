package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Record is a ticket as it is stored.
type Record struct {
	Number     ticket.Number
	Subject    string
	Order      string
	Follows    ticket.Number   // the ticket of which this is a follow-up; empty: none
	FollowedBy []ticket.Number // its follow-ups, oldest first; only set for a single ticket
	Requester  Ref
	Assignee   *Ref // nil: unassigned
	Submitted  time.Time
	Updated    time.Time     // last change of any kind
	Shown      time.Time     // last change visible to the requester; not before Submitted
	State      *ticket.State // nil: accepted, before its first step
	Submission ticket.Command
	Policy     int64    // version that the ticket is pinned to
	Pending    int64    // number of the last command accepted
	Schedule   int64    // revision of the emergency schedule when the ticket was read
	Last       *Excerpt // the newest message; only set in lists for staff
}

// Excerpt is the beginning of a message.
type Excerpt struct {
	Text     string // the first 160 characters, plain text
	Internal bool   // visible to staff only
	By       Ref
	At       time.Time // of acceptance
}

// Tracking is what anyone who knows a ticket's number may see of it.
type Tracking struct {
	Number    ticket.Number
	Status    ticket.Status
	Submitted time.Time
	Promises  Promised
}

// TicketSummary is a ticket as an entry of a short list.
type TicketSummary struct {
	Number    ticket.Number
	Subject   string
	Status    ticket.Status
	Priority  policy.Priority
	Category  string
	Submitted time.Time
	Updated   time.Time
}
