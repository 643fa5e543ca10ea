package panel

import (
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// screen is the whole desk: queues, list and open ticket side by side.
type screen struct {
	page.Layout
	Queues queuesView
	List   listView
	Ticket *ticketView // nil: no ticket is open
	Keys   []keyGroup
}

// screen loads the queues and the list. open is the ticket that is marked in the list, if any; wrong is the error of a
// search that can't be parsed, which the list shows.
func (p *Pages) screen(v *page.Visit, s search, open ticket.Number, wrong error) (screen, error) {
	shared, err := p.loadShared(v)
	if err != nil {
		return screen{}, err
	}
	view := screen{Layout: v.Layout(queueName(s.Queue), "/desk"), Keys: keyGroups}
	if view.Queues, err = p.queues(v, s, shared); err != nil {
		return screen{}, err
	}
	view.List, err = p.tickets(v, s, open, shared, wrong)
	return view, err
}

// keyGroup is a section of the overview of shortcuts.
type keyGroup struct {
	Name string
	Keys []key
}

type key struct {
	Keys []string
	Does string
}

var keyGroups = []keyGroup{
	{"Go", []key{
		{[]string{"Ctrl", "K"}, "Every command, or a ticket by its number"},
		{[]string{"1", "…", "8"}, "Queues: mine to snoozed"},
		{[]string{"/"}, "Search"},
		{[]string{"f"}, "Filter the list"},
		{[]string{"u"}, "Back to the list"},
		{[]string{"[", "]"}, "Collapse the queues, the list"},
		{[]string{"?"}, "This overview"},
	}},
	{"List", []key{
		{[]string{"j", "k"}, "Next, previous ticket"},
		{[]string{"Enter"}, "Open it"},
		{[]string{"x"}, "Select it"},
		{[]string{"Esc"}, "Leave a field or a dialog"},
	}},
	{"Ticket", []key{
		{[]string{"a"}, "Take it"},
		{[]string{"Shift", "A"}, "Assign it to someone"},
		{[]string{"Shift", "P"}, "Priority"},
		{[]string{"Shift", "C"}, "Category"},
		{[]string{"Shift", "S"}, "Snooze it"},
		{[]string{"o"}, "Reopen it"},
		{[]string{"h"}, "Acknowledge an escalation"},
		{[]string{"w"}, "Why this deadline?"},
	}},
	{"Write", []key{
		{[]string{"r"}, "Reply"},
		{[]string{"e"}, "Reply and resolve"},
		{[]string{"i"}, "Request information"},
		{[]string{"p"}, "Progress update"},
		{[]string{"n"}, "Internal note"},
		{[]string{"c"}, "Insert a canned reply"},
		{[]string{"Ctrl", "Enter"}, "Send"},
		{[]string{"z"}, "Undo sending"},
	}},
}
