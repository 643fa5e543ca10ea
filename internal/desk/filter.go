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

// Queue is the name of a ticket list for staff.
type Queue string

// The queues. A closed ticket is only in QueueAll. A snoozed one is only in QueueAll, QueueSnoozed, QueueDueSoon and
// QueueBreached, since snoozing must not hide a breach.
const (
	QueueAll        Queue = "all"
	QueueMine       Queue = "mine"
	QueueUnassigned Queue = "unassigned"
	QueueDueSoon    Queue = "due-soon" // a deadline within 24 hours
	QueueBreached   Queue = "breached"
	QueueWaiting    Queue = "waiting"
	QueueResolved   Queue = "resolved"
	QueueSnoozed    Queue = "snoozed"
)

// Queues returns all queues.
func Queues() []Queue {
	return []Queue{QueueAll, QueueMine, QueueUnassigned, QueueDueSoon, QueueBreached, QueueWaiting, QueueResolved, QueueSnoozed}
}

// Order is the order of a list for staff. A customer's is always by submission, newest first.
type Order string

// The orders. They are the same for queues without running clocks (waiting, resolved).
const (
	OrderMoment  Order = ""        // by the next due event of any kind, earliest first; tickets without one last
	OrderPromise Order = "promise" // by the earliest deadline not met: longest overdue first, paused ones last
)

// Filter selects the tickets of a list. An empty field selects all.
type Filter struct {
	Viewer    Person // a customer sees their own tickets only
	Queue     Queue
	Statuses  []ticket.Status // any of these; empty: all
	Open      bool            // not closed
	Assignee  string          // handle or ID
	DueBefore time.Time       // not closed, with a deadline before; staff only
	Escalated bool            // not closed, with an escalation that is not acknowledged; staff only
	Requester string          // an ID, or part of a name or an address in any case; staff only
	Priority  policy.Priority
	Category  string
	Text      string // full-text query over subjects and the messages that the viewer may read, in web search syntax
	Order     Order
	After     Cursor // zero: from the start
	Limit     int    // 1 to 100
}

// Cursor is a position in a list: the last ticket of a page. See Filter.Place.
type Cursor struct {
	Instant time.Time     `json:"t,omitzero"` // sort key; zero in a list for staff: after all tickets that have one
	Number  ticket.Number `json:"n"`
}

// ByPromise reports whether the list is sorted by the earliest deadline not met.
func (f Filter) ByPromise() bool {
	return f.Viewer.Role.Staff() && f.Order == OrderPromise && f.Queue != QueueWaiting && f.Queue != QueueResolved && f.Queue != QueueSnoozed
}

// Place returns the position of a ticket in the list, the After of the next page. A ticket before its first step is stored
// without sort keys, although its view has computed ones.
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

// Closed reports whether the list may contain closed tickets.
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

// Tomorrow returns the end of the day of now in a zone.
func Tomorrow(now time.Time, zone *time.Location) time.Time {
	today := now.In(zone)
	return time.Date(today.Year(), today.Month(), today.Day()+1, 0, 0, 0, 0, zone)
}

// SavedFilter is a filter that is saved with a name.
type SavedFilter struct {
	ID     int64 // 0: not saved yet
	Name   string
	Query  string // of the list's URL, such as "queue=all&status=open"
	Shared bool   // for all staff; otherwise its author's own
	Author Ref
	Yours  bool // the viewer may edit and delete it
}

const (
	maxFilterName  = 60   // characters
	maxFilterQuery = 2000 // bytes
)

// Check returns an Invalid fault that names every invalid field: name, query.
func (s SavedFilter) Check() error {
	var wrong fault.Details
	if !validName(s.Name, maxFilterName) {
		wrong.Add("name", "must have 1 to 60 characters, in one line and all of them visible")
	}
	if _, err := url.ParseQuery(s.Query); err != nil || len(s.Query) > maxFilterQuery || strings.ContainsFunc(s.Query, forbidden) {
		wrong.Add("query", "must be the query of a list's address, 2000 bytes at most")
	}
	return wrong.Err()
}
