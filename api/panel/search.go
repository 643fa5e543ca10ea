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

// notDone is the value of the filter by status that finds what the desk or the requester still has to do.
const notDone = "unfinished"

// notClosed is the value that finds what the overview counts as such.
const notClosed = "not-closed"

// nobody is the value of the filter by assignee that finds what nobody has.
const nobody = "-"

// search is what the address of a list asks for. Every link keeps it, so that a page can be shared.
type search struct {
	desk.Filter
	asked url.Values // what was asked for, without empty values and what no list knows
}

// dueToday is the value of the filter by promise that finds what the overview counts as due today.
const dueToday = "today"

// searchFields are what a list's address may hold, in the order of their chips.
var searchFields = []string{"queue", "q", "status", "priority", "category", "assignee", "requester", "due", "escalated", "after"}

// unanswered is the value of the filter by escalation that finds the ladders without an answer.
const unanswered = "unanswered"

// readSearch reads a list's address. Without anything in it the list is the viewer's own queue.
func readSearch(v *page.Visit, query url.Values) (search, error) {
	s := search{asked: url.Values{}}
	for _, name := range searchFields {
		if value := query.Get(name); value != "" {
			s.asked.Set(name, value)
		}
	}
	if len(s.asked) == 0 {
		s.asked.Set("queue", string(desk.QueueMine))
	}
	var f input.Fields
	s.Filter = desk.Filter{
		Viewer: v.Person, Queue: desk.Queue(s.asked.Get("queue")), Order: desk.OrderPromise, Limit: pageSize,
		Priority:  policy.Priority(s.asked.Get("priority")),
		Category:  f.Optional("category", s.asked.Get("category"), input.MaxWord),
		Assignee:  f.Optional("assignee", s.asked.Get("assignee"), input.MaxWord),
		Requester: f.Optional("requester", s.asked.Get("requester"), input.MaxSearch),
		Text:      f.Optional("q", s.asked.Get("q"), input.MaxSearch),
		After:     f.Cursor("after", s.asked.Get("after")),
	}
	switch s.asked.Get("due") {
	case dueToday:
		s.DueBefore = v.Tomorrow()
	case "":
	default:
		f.Reject("due", "is unknown")
	}
	switch s.asked.Get("escalated") {
	case unanswered:
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
	if s.Assignee == nobody {
		s.Assignee = ""
		s.Queue = desk.QueueUnassigned
	}
	switch status := ticket.Status(s.asked.Get("status")); {
	case status == notDone:
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
	for field, all := range s.asked {
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
	s.asked = s.with("q", "")
	if len(s.asked) == 0 {
		s.asked.Set("queue", string(s.Queue))
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
func (s search) address() string { return deskAddress(s.asked) }

// suffix is what an address within the list's context ends with.
func (s search) suffix() string { return "?" + s.asked.Encode() }

// ticketAddress is a ticket beside this list.
func (s search) ticketAddress(n ticket.Number) string {
	return "/desk/tickets/" + string(n) + s.suffix()
}
