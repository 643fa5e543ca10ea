package panel

import (
	"errors"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// listView is the list of tickets with its filters.
type listView struct {
	page.Layout
	Title, Text, Requester string
	Query, Suffix          string // query of its address without the page; suffix of the addresses that keep the list
	Address, Bare          string // its own address; that of the queue without filters
	Kept                   []field
	Chips                  []chip
	QueueChoice, Status    choice
	Priority, Category     choice
	Assignee, Due          choice
	Mistake                string
	Rows                   []row
	More, First            string // addresses of the next and the first page; may be empty
	EmptyTitle, EmptyText  string
	People                 string // address that searches requesters for the text; empty without a text
	Colleagues             []desk.Colleague
	Snooze                 choice // for the selected tickets
	Swap                   bool
}

type field struct{ Name, Value string }

// chip is a filter in use. Without is the address of the list without it.
type chip struct{ Name, Value, Without string }

// row is a ticket in the list.
type row struct {
	Record                    desk.View
	Address                   string
	Speaker, Words            string // the latest message; Speaker is empty if the requester wrote it
	Note                      bool   // the latest message is an internal note
	Loud                      bool   // the priority is high or urgent
	Assignee                  string // empty: unassigned
	Age                       string
	FirstResponse, Resolution badge
	Open                      bool
	Snoozed                   string // end of the snooze; empty: not snoozed
}

// list shows the desk without an open ticket. A search for a ticket's number redirects to the ticket.
func (p *Pages) list(v *page.Visit) error {
	s, wrong := readSearch(v, v.Queries())
	if wrong != nil && fault.KindOf(wrong) != fault.Invalid {
		return wrong
	}
	if v.Header("X-Live") == "" { // live updates do not redirect
		n, found, err := p.ticketByNumber(v, s)
		switch {
		case err != nil:
			return err
		case found:
			return v.Redirect(s.withoutWords().ticketAddress(n))
		}
	}
	view, err := p.screen(v, s, "", wrong)
	if err != nil {
		return err
	}
	switch {
	case v.Partial():
		return v.Fragment("desk", "refresh", view)
	case wrong != nil:
		return v.ShowStatus(http.StatusUnprocessableEntity, "desk", view)
	}
	return v.Show("desk", view)
}

// ticketByNumber returns the ticket whose number was searched for. found is false if the text is not a number, or the
// number of no ticket.
func (p *Pages) ticketByNumber(v *page.Visit, s search) (n ticket.Number, found bool, err error) {
	n, err = v.ReadNumber(s.Text)
	if err != nil {
		return "", false, nil //nolint:nilerr // other words
	}
	_, err = p.desk.Ticket(v.Context(), v.Person, n)
	if fault.KindOf(err) == fault.NotFound {
		return "", false, nil
	}
	return n, err == nil, err
}

// tickets returns the list for a search. A search that is wrong results in an empty list with the error.
func (p *Pages) tickets(v *page.Visit, s search, open ticket.Number, shared shared, wrong error) (listView, error) {
	view := p.listFrame(v, s, shared)
	if wrong != nil {
		view.Mistake = errorSentence(wrong)
		view.EmptyTitle, view.EmptyText = "This filter can't be read", "See the message above."
		return view, nil
	}
	found, more, err := p.desk.List(v.Context(), s.Filter)
	if err != nil {
		return listView{}, err
	}
	now := time.Now()
	for _, f := range found {
		view.Rows = append(view.Rows, newRow(f, s, view.Layout, now, open))
	}
	if more {
		next := s.with("after", input.EncodeCursor(s.Place(found[len(found)-1])))
		view.More = deskAddress(next)
	}
	if s.values.Get("after") != "" {
		view.First = deskAddress(s.with("after", ""))
	}
	view.EmptyTitle, view.EmptyText = emptyListText(s)
	if s.Text != "" {
		view.People = deskAddress(url.Values{"queue": {string(desk.QueueAll)}, "requester": {s.Text}})
	}
	return view, nil
}

// listFrame returns the list without its rows: title, filters and the addresses of the page.
func (p *Pages) listFrame(v *page.Visit, s search, shared shared) listView {
	view := listView{
		Layout: v.Layout(queueName(s.Queue), "/desk"), Title: queueName(s.Queue), Text: s.values.Get("q"), Requester: s.values.Get("requester"),
		Query: s.with("", "").Encode(), Suffix: s.suffix(), Address: s.address(), Bare: "/desk?queue=" + string(s.Queue),
		Status: choose("Status", "status", ticket.Status(s.values.Get("status")), ticket.Statuses(), anyOf,
			option{Value: unfinished, Text: "unresolved"}, option{Value: notClosed, Text: "not closed"}),
		Priority:   choose("Priority", "priority", s.Priority, policy.Priorities(), anyOf),
		Category:   choose("Category", "category", s.Category, shared.policy.Categories, anyOf),
		Assignee:   shared.assignees("Assignee", "assignee", s.values.Get("assignee"), anyOf, option{Value: unassigned, Text: "unassigned"}),
		Due:        choice{Label: "Due", Name: "due", Options: []option{anyOf, {Value: dueToday, Text: "today", Chosen: !s.DueBefore.IsZero()}}},
		Colleagues: shared.colleagues,
		Snooze:     snoozeChoice(time.Time{}, time.Now().In(shared.zone)),
		Swap:       v.Partial(),
	}
	var queues []option
	for _, q := range queueNames {
		queues = append(queues, option{Value: string(q.queue), Text: q.name})
	}
	view.QueueChoice = newChoice("Queue", "queue", string(s.Queue), queues)
	for _, name := range searchFields {
		value := s.values.Get(name)
		if value == "" || name == "after" {
			continue
		}
		if name != "q" {
			view.Kept = append(view.Kept, field{name, value})
		}
		if name != "queue" {
			view.Chips = append(view.Chips, chip{chipNames[name], value, deskAddress(s.with(name, ""))})
		}
	}
	return view
}

var chipNames = map[string]string{
	"q": "text", "status": "status", "priority": "priority", "category": "category", "assignee": "assignee",
	"requester": "requester", "due": "due", "escalated": "escalated",
}

func newRow(v desk.View, s search, l page.Layout, now time.Time, open ticket.Number) row {
	r := row{
		Record: v, Address: s.ticketAddress(v.Number), Open: v.Number == open,
		Loud:          v.Ticket.Priority == policy.PriorityHigh || v.Ticket.Priority == policy.PriorityUrgent,
		Age:           age(now.Sub(v.Submitted)),
		FirstResponse: newBadge(v, policy.FirstResponse, l, now), Resolution: newBadge(v, policy.Resolution, l, now),
	}
	if until := v.Ticket.SnoozedUntil; !until.IsZero() {
		r.Snoozed = until.In(l.Zone).Format("2 Jan")
		if until.Sub(now) < 24*time.Hour {
			r.Snoozed = until.In(l.Zone).Format("15:04")
		}
	}
	if v.Assignee != nil {
		r.Assignee = v.Assignee.Name
		if v.Assignee.ID == s.Viewer.ID {
			r.Assignee = "me"
		}
	}
	if v.Last != nil {
		r.Words, r.Note = strings.Join(strings.Fields(v.Last.Text), " "), v.Last.Internal
		switch v.Last.By.ID {
		case v.Requester.ID: // the row names the requester already
		case s.Viewer.ID:
			r.Speaker = "me"
		default:
			r.Speaker = v.Last.By.Name
		}
	}
	return r
}

// errorSentence returns the message of a fault, with those of all its fields, as one sentence.
func errorSentence(err error) string {
	e, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return ""
	}
	if len(e.Details) == 0 {
		return page.Sentence(e.Message)
	}
	messages := make([]string, 0, len(e.Details))
	for _, d := range e.Details {
		field := d.Field
		if field == "body" {
			field = "the message"
		}
		messages = append(messages, field+" "+d.Message)
	}
	return page.Sentence(strings.Join(messages, "; "))
}

func emptyListText(s search) (title, text string) {
	switch {
	case s.values.Get("after") != "":
		return "No more tickets", "The tickets on this page have moved."
	case s.Text != "":
		return "No tickets found", "The search covers subjects and messages. Enter a ticket number to open that ticket; find people with the Requester filter."
	case len(s.values) > 1:
		return "No tickets found", "Remove a filter, or choose others."
	case s.Queue == desk.QueueMine:
		return "No tickets are assigned to you", "See the unassigned tickets: press 2."
	case s.Queue == desk.QueueBreached:
		return "No breached tickets", "Every ticket is within its targets."
	case s.Queue == desk.QueueUnassigned:
		return "No unassigned tickets", "New tickets appear here automatically."
	default:
		return "No tickets", "Tickets appear here automatically."
	}
}
