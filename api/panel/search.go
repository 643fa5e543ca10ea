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

// pageSize is how many tickets one page of the list holds.
const pageSize = 50

// unfinished is the value of the filter by status that finds what the desk or the requester still has to do.
const unfinished = "unfinished"

// notClosed is the value that finds what the overview counts as such.
const notClosed = "not-closed"

// unassigned is the value of the filter by assignee that finds what nobody has.
const unassigned = "-"

// search is what the address of a list asks for. Every link keeps it, so that a page can be shared.
type search struct {
	desk.Filter
	values url.Values // what was asked for, without empty values and what no list knows
}

// dueToday is the value of the filter by promise that finds what the overview counts as due today.
const dueToday = "today"

// searchFields are what a list's address may hold, in the order of their chips.
var searchFields = []string{"queue", "q", "status", "priority", "category", "assignee", "requester", "due", "escalated", "after"}

// unacknowledged is the value of the filter by escalation that finds the ladders without an answer.
const unacknowledged = "unanswered"

// readSearch reads a list's address. Without anything in it the list is the viewer's own queue.
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

// check reads what has a fixed set of values.
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

// with is the search with one value changed, from its first page; an empty value takes the filter away.
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

// withoutWords is the search for whatever else was asked.
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

// address is the list's own.
func (s search) address() string { return deskAddress(s.values) }

// suffix is what an address within the list's context ends with.
func (s search) suffix() string { return "?" + s.values.Encode() }

// ticketAddress is a ticket beside this list.
func (s search) ticketAddress(n ticket.Number) string {
	return "/desk/tickets/" + string(n) + s.suffix()
}
