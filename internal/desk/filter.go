package desk

import (
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Queue names a list that staff work from.
type Queue string

// The queues. A closed ticket is in none but "all". One that is snoozed is in "all" and "snoozed", and in those of promises:
// to snooze it hides no promise that is about to be broken.
const (
	QueueAll        Queue = "all"
	QueueMine       Queue = "mine"
	QueueUnassigned Queue = "unassigned"
	QueueDueSoon    Queue = "due-soon" // a promise falls due within 24 hours
	QueueBreached   Queue = "breached"
	QueueWaiting    Queue = "waiting"
	QueueResolved   Queue = "resolved"
	QueueSnoozed    Queue = "snoozed"
)

// Queues lists every queue.
func Queues() []Queue {
	return []Queue{QueueAll, QueueMine, QueueUnassigned, QueueDueSoon, QueueBreached, QueueWaiting, QueueResolved, QueueSnoozed}
}

// Order is how a staff list is sorted. A customer's is always by submission, newest first.
type Order string

// The orders. Where a queue has no promises that run (waiting, resolved), both are by the next moment.
const (
	OrderMoment  Order = ""        // by the next due moment of any kind, earliest first and none last
	OrderPromise Order = "promise" // by the deadline of the earliest promise owed: longest broken first, paused ones last
)

// Filter says which tickets a list shows; an empty field filters nothing.
type Filter struct {
	Viewer    Person // a customer sees their own tickets only
	Queue     Queue
	Statuses  []ticket.Status // any of these
	Open      bool            // not closed
	Assignee  string          // handle or ID
	DueBefore time.Time       // not closed, and a promise that runs falls due before; for staff
	Escalated bool            // not closed, and nobody has answered its ladder; for staff
	Requester string          // an ID, or part of a name or an address in any case; for staff
	Priority  policy.Priority
	Category  string
	Text      string // full-text query over subjects and the messages that the viewer may read, as typed in a web search
	Order     Order
	After     Cursor // zero: from the start
	Limit     int    // 1 to 100
}

// Cursor is a place in a list: the last row shown. Filter.Place makes it.
type Cursor struct {
	Instant time.Time     `json:"t,omitzero"` // what the list is sorted by; zero on a staff list: past every ticket that has one
	Number  ticket.Number `json:"n"`
}

// ByPromise reports whether the list is sorted by the promises owed.
func (f Filter) ByPromise() bool {
	return f.Viewer.Role.Staff() && f.Order == OrderPromise && f.Queue != QueueWaiting && f.Queue != QueueResolved && f.Queue != QueueSnoozed
}

// Place is where a ticket stands in this list: the After of the next page. A ticket that no step has taken yet is
// stored without instants; those in its view are foretold.
func (f Filter) Place(v View) Cursor {
	c := Cursor{Number: v.Number}
	switch {
	case !f.Viewer.Role.Staff():
		c.Instant = v.Submitted.UTC()
	case v.State == nil:
	case f.Queue == QueueSnoozed:
		c.Instant = v.State.Ticket.SnoozedUntil.UTC()
	case f.ByPromise():
		c.Instant = v.State.Ticket.OwedAt().UTC()
	case !v.State.Next.Due.IsZero():
		c.Instant = v.State.Next.Due.UTC()
	}
	return c
}

// Closed reports whether the list may show closed tickets.
func (f Filter) Closed() bool {
	asked := slices.Contains(f.Statuses, ticket.StatusClosed)
	switch {
	case f.Open:
		return false
	case len(f.Statuses) > 0:
		return asked
	}
	return f.Queue == "" || f.Queue == QueueAll
}

// Tomorrow returns when the day of an instant ends in a zone.
func Tomorrow(now time.Time, zone *time.Location) time.Time {
	today := now.In(zone)
	return time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, zone)
}

// SavedFilter is a filter kept under a name.
type SavedFilter struct {
	ID     int64 // 0: not saved yet
	Name   string
	Query  string // of the list's address, such as "queue=all&status=open"
	Shared bool   // for all staff; otherwise its author's own
	Author Ref
	Yours  bool // the viewer may edit and delete it
}

// In characters and bytes.
const (
	maxFilterName  = 60
	maxFilterQuery = 2000
)

// Check gives an Invalid fault that names every field in which a filter can't be kept: name, query.
func (s SavedFilter) Check() error {
	var wrong []fault.Detail
	if !validName(s.Name, maxFilterName) {
		wrong = append(wrong, fault.Detail{Field: "name", Message: "must have 1 to 60 characters, in one line and all of them visible"})
	}
	if _, err := url.ParseQuery(s.Query); err != nil || len(s.Query) > maxFilterQuery || strings.ContainsFunc(s.Query, unspeakable) {
		wrong = append(wrong, fault.Detail{Field: "query", Message: "must be the query of a list's address, 2000 bytes at most"})
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}
