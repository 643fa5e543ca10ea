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
	Updated    time.Time
	State      *ticket.State // nil: accepted, and the workflow has not taken it yet
	Submission ticket.Command
	Policy     int64
	Pending    int64 // number of the last command accepted
}

// Entry is one line of a timeline, with the words that the event itself does not hold.
type Entry struct {
	ticket.Event
	Author   Ref    // zero for the desk's own and for a hand in Temporal UI
	Body     string // plain text, empty without any
	Recorded time.Time
	Bounce   *Bounce // the mail that a mail-bounced event tells of; nil otherwise
}

// Bounce is a mail that could not be delivered.
type Bounce struct {
	Kind   ticket.MailKind
	To     Ref
	Reason string // a mail server's own words, cut to length
}

// Queue names a list that staff work from.
type Queue string

// The queues.
const (
	QueueAll        Queue = "all"
	QueueMine       Queue = "mine"
	QueueUnassigned Queue = "unassigned"
	QueueDueSoon    Queue = "due-soon" // a promise falls due within 24 hours
	QueueBreached   Queue = "breached"
	QueueWaiting    Queue = "waiting"
	QueueResolved   Queue = "resolved"
)

// Queues lists every queue.
func Queues() []Queue {
	return []Queue{QueueAll, QueueMine, QueueUnassigned, QueueDueSoon, QueueBreached, QueueWaiting, QueueResolved}
}

// Filter says which tickets a list shows; an empty field filters nothing.
type Filter struct {
	Viewer   Person // a customer sees their own tickets only
	Queue    Queue
	Status   ticket.Status
	Assignee string // handle or ID
	Priority policy.Priority
	Category string
	Text     string // full-text query over subjects and the messages that the viewer may read, as typed in a web search
	After    Cursor // zero: from the start
	Limit    int    // 1 to 100
}

// Cursor is a place in a list: the last row shown. Staff's lists are ordered by the next due moment, earliest
// first and none last; a customer's by submission, newest first.
type Cursor struct {
	Instant time.Time     `json:"t,omitzero"` // zero on a staff list: past every ticket with a due moment
	Number  ticket.Number `json:"n"`
}

// Tracking is what the number alone shows, to anybody.
type Tracking struct {
	Number    ticket.Number
	Status    ticket.Status
	Submitted time.Time
	Promises  Promised
}

// Promised holds each promise as its requester may know it.
type Promised struct {
	FirstResponse, Resolution Standing
}

// Standing is one promise: where its clock stands now.
type Standing struct {
	Due        time.Time // zero while paused
	MetAt      time.Time // zero: not yet
	BreachedAt time.Time // zero: never
	Paused     []policy.Reason
}
