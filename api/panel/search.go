package panel

import (
	"maps"
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
const unacknowledged = "unacknowledged"

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
	if s.Queue == "" {
		s.Queue = desk.QueueAll
	}
	s.check(&f)
	if s.values.Get("due") == dueToday {
		s.DueBefore = v.Tomorrow()
	}
	s.Escalated = s.values.Get("escalated") == unacknowledged
	if s.Assignee == unassigned {
		s.Assignee, s.Queue = "", desk.QueueUnassigned
	}
	return s, f.Err()
}

// check validates the fields that have a fixed set of values, and reads the status.
func (s *search) check(f *input.Fields) {
	check := func(name string, known bool) {
		if !known {
			f.Reject(name, "is unknown")
		}
	}
	check("due", slices.Contains([]string{"", dueToday}, s.values.Get("due")))
	check("escalated", slices.Contains([]string{"", unacknowledged}, s.values.Get("escalated")))
	check("queue", slices.Contains(desk.Queues(), s.Queue))
	check("priority", s.Priority == "" || s.Priority.Valid())
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
	values := maps.Clone(s.values)
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
