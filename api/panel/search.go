package panel

import (
	"net/url"
	"slices"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// pageSize is the number of tickets on one page of the list.
const pageSize = 50

// unfinished is the value of the status filter for tickets that are new, open or waiting.
const unfinished = "unfinished"

// notClosed is the value of the status filter for all tickets that are not closed, as the supervisors' overview counts
// them.
const notClosed = "not-closed"

// unassigned is the value of the assignee filter for unassigned tickets.
const unassigned = "-"

// search is the parsed address of a list. All addresses within the list keep it, so that they can be shared.
type search struct {
	desk.Filter
	values url.Values // the known, non-empty values of the query
}

// dueToday is the value of the due filter for tickets that are due today, as the supervisors' overview counts them.
const dueToday = "today"

// searchFields lists the names of the query, in the order of their chips.
var searchFields = []string{"queue", "q", "status", "priority", "category", "assignee", "requester", "due", "escalated", "after"}

// unacknowledged is the value of the escalation filter for escalations that have not been acknowledged.
const unacknowledged = "unanswered"

// readSearch parses the query of a list. An empty query is the viewer's own queue.
func readSearch(v *page.Visit, query url.Values) (search, error) {
	s := search{values: url.Values{}}
	for _, name := range searchFields {
		if value := query.Get(name); value != "" {
			s.values.Set(name, value)
		}
	}
	if len(s.values) == 0 {
		s.values.Set("queue", string(desk.QueueMine))
	}
	var f input.Fields
	s.Filter = desk.Filter{
		Viewer: v.Person, Queue: desk.Queue(s.values.Get("queue")), Order: desk.OrderPromise, Limit: pageSize,
		Priority:  policy.Priority(s.values.Get("priority")),
		Category:  f.Optional("category", s.values.Get("category"), input.MaxWord),
		Assignee:  f.Optional("assignee", s.values.Get("assignee"), input.MaxWord),
		Requester: f.Optional("requester", s.values.Get("requester"), input.MaxSearch),
		Text:      f.Optional("q", s.values.Get("q"), input.MaxSearch),
		After:     f.Cursor("after", s.values.Get("after")),
	}
	switch s.values.Get("due") {
	case dueToday:
		s.DueBefore = v.Tomorrow()
	case "":
	default:
		f.Reject("due", "is unknown")
	}
	switch s.values.Get("escalated") {
	case unacknowledged:
		s.Escalated = true
	case "":
	default:
		f.Reject("escalated", "is unknown")
	}
	s.check(&f)
	return s, f.Err()
}

// check validates the fields that have a fixed set of values.
func (s *search) check(f *input.Fields) {
	if s.Queue == "" {
		s.Queue = desk.QueueAll
	}
	if !slices.Contains(desk.Queues(), s.Queue) {
		f.Reject("queue", "is unknown")
	}
	if s.Priority != "" && !s.Priority.Valid() {
		f.Reject("priority", "is unknown")
	}
	if s.Assignee == unassigned {
		s.Assignee = ""
		s.Queue = desk.QueueUnassigned
	}
	switch status := ticket.Status(s.values.Get("status")); {
	case status == unfinished:
		s.Statuses = []ticket.Status{ticket.StatusNew, ticket.StatusOpen, ticket.StatusWaiting}
	case status == notClosed:
		s.Open = true
	case status == "":
	case slices.Contains(ticket.Statuses(), status):
		s.Statuses = []ticket.Status{status}
	default:
		f.Reject("status", "is unknown")
	}
}

// with returns the query with one value changed, and without the page. An empty value removes the field.
func (s search) with(name, value string) url.Values {
	values := url.Values{}
	for field, all := range s.values {
		values[field] = all
	}
	values.Del("after")
	values.Del(name)
	if value != "" {
		values.Set(name, value)
	}
	return values
}

// withoutWords returns the search without its text.
func (s search) withoutWords() search {
	s.values = s.with("q", "")
	if len(s.values) == 0 {
		s.values.Set("queue", string(s.Queue))
	}
	return s
}

func deskAddress(values url.Values) string {
	if len(values) == 0 {
		return "/desk?queue=" + string(desk.QueueAll)
	}
	return "/desk?" + values.Encode()
}

// address returns the address of the list.
func (s search) address() string { return deskAddress(s.values) }

// suffix returns the query that addresses within the list end with.
func (s search) suffix() string { return "?" + s.values.Encode() }

// ticketAddress returns the address of a ticket beside this list.
func (s search) ticketAddress(n ticket.Number) string {
	return "/desk/tickets/" + string(n) + s.suffix()
}
