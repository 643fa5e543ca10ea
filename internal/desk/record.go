package desk

import (
	"time"

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
	Pending    int64  // number of the last command accepted
	Gate       int64  // revision of the emergency gate when it was read
	Last       *Words // the newest words; filled in staff's lists only
}

// Words are the beginning of what somebody wrote.
type Words struct {
	Text     string // the first 160 characters, plain text
	Internal bool   // for staff's eyes
	By       Ref
	At       time.Time // when it was accepted
}

// Entry is one line of a timeline, with the words that the event itself does not hold.
type Entry struct {
	ticket.Event
	Author   Ref    // zero for the desk's own and for a hand in Temporal UI
	Body     string // plain text, empty without any
	Internal bool   // the body is for staff, whatever the event says
	Recorded time.Time
	Bounce   *Bounce // the mail that a mail-bounced event tells of; nil otherwise
}

// Bounce is a mail that could not be delivered.
type Bounce struct {
	Kind   ticket.MailKind
	To     Ref
	Reason string // a mail server's own words, cut to length
	Resent bool   // as another mail that has not bounced
}

// Tracking is what the number alone shows, to anybody.
type Tracking struct {
	Number    ticket.Number
	Status    ticket.Status
	Submitted time.Time
	Promises  Promised
}

// Gauge is a promise as a bar: how much of its budget was used up at an instant. Once the promise is settled it stays
// as it was then.
type Gauge struct {
	Standing
	Settled bool          // met, or owed no longer
	Budget  time.Duration // as the clock counts, extensions included
	Used    time.Duration // more than the budget once the promise is broken
}
