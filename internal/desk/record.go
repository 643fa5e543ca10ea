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
	Follows    ticket.Number   // empty: none
	FollowedBy []ticket.Number // oldest first; filled for a single ticket only
	Requester  Ref
	Assignee   *Ref // nil: nobody
	Submitted  time.Time
	Updated    time.Time     // by anything
	Shown      time.Time     // by what its requester may see; never before Submitted
	State      *ticket.State // nil: accepted, and the workflow has not taken it yet
	Submission ticket.Command
	Policy     int64
	Pending    int64    // number of the last command accepted
	Schedule   int64    // revision of the emergency gate when it was read
	Last       *Excerpt // the newest words; filled in staff's lists only
}

// Excerpt are the beginning of what somebody wrote.
type Excerpt struct {
	Text     string // the first 160 characters, plain text
	Internal bool   // for staff's eyes
	By       Ref
	At       time.Time // when it was accepted
}

// Tracking is what the number alone shows, to anybody.
type Tracking struct {
	Number    ticket.Number
	Status    ticket.Status
	Submitted time.Time
	Promises  Promised
}

// TicketSummary is a ticket in a few words.
type TicketSummary struct {
	Number    ticket.Number
	Subject   string
	Status    ticket.Status
	Priority  policy.Priority
	Category  string
	Submitted time.Time
	Updated   time.Time
}
