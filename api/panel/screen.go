package panel

import (
	"cmp"
	"net/url"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
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

// choice is a form field with a fixed set of values.
type choice struct {
	Label, Name string
	Options     []option
}

type option struct {
	Value, Text string
	Chosen      bool
	Sure        string // confirmation asked before it is sent; empty: none
}

func choose[T ~string](label, name string, chosen T, all []T, first ...option) choice {
	for _, value := range all {
		first = append(first, option{Value: string(value), Text: string(value)})
	}
	return newChoice(label, name, string(chosen), first)
}

func newChoice(label, name, chosen string, options []option) choice {
	for i := range options {
		options[i].Chosen = options[i].Value == chosen
	}
	return choice{Label: label, Name: name, Options: options}
}

var anyOf = option{Value: "", Text: "any"}

// shared holds what several columns of a page need. It is loaded once for each request.
type shared struct {
	colleagues []desk.Colleague
	policy     *policy.Policy // the policy in force
	zone       *time.Location // the viewer's time zone
}

func (p *Pages) loadShared(v *page.Visit) (c shared, err error) {
	if c.colleagues, err = p.staffing.Staff(v.Context()); err != nil {
		return c, err
	}
	c.zone = v.Zone
	_, c.policy, _, err = p.desk.PolicyInForce(v.Context())
	return c, err
}

// assignees returns a choice of agents by handle.
func (c shared) assignees(label, name, chosen string, first ...option) choice {
	for _, colleague := range c.colleagues {
		text := colleague.Name
		if colleague.Away.Now() {
			text += " (away)"
		}
		first = append(first, option{Value: colleague.Handle, Text: text})
	}
	return newChoice(label, name, chosen, first)
}

// colleague returns the first of the staff that is meets, and the zero Colleague if there is none.
func (c shared) colleague(is func(desk.Colleague) bool) desk.Colleague {
	if i := slices.IndexFunc(c.colleagues, is); i >= 0 {
		return c.colleagues[i]
	}
	return desk.Colleague{}
}

// name returns the name of the agent with the given handle. It returns the handle if the agent is no longer on the
// staff.
func (c shared) name(handle string) string {
	return cmp.Or(c.colleague(func(c desk.Colleague) bool { return c.Handle == handle }).Name, handle)
}

// queuesView is the column of queues and saved filters.
type queuesView struct {
	page.Layout
	Queues []queueView
	Saved  []savedView
	Away   desk.Absence // the viewer's
	Mails  int          // in quarantine
	Swap   bool         // it replaces the column of an open page
}

type queueView struct {
	Name, Short, Key string
	Address          string
	Count            int
	Counted          bool
	Urgent, Here     bool
}

// savedView is a saved filter with the address of its list.
type savedView struct {
	desk.SavedFilter
	Address, Short string
	Here           bool
}

// queueNames lists the queues in the order of their shortcuts, from 1.
var queueNames = []struct {
	queue       desk.Queue
	name, short string
}{
	{desk.QueueMine, "Mine", "Me"},
	{desk.QueueUnassigned, "Unassigned", "New"},
	{desk.QueueDueSoon, "Due soon", "Due"},
	{desk.QueueBreached, "Breached", "Late"},
	{desk.QueueWaiting, "Waiting", "Wait"},
	{desk.QueueResolved, "Resolved", "Done"},
	{desk.QueueAll, "All", "All"},
	{desk.QueueSnoozed, "Snoozed", "Zzz"},
}

func queueName(q desk.Queue) string {
	for _, known := range queueNames {
		if known.queue == q {
			return known.name
		}
	}
	return string(q)
}

func (p *Pages) queues(v *page.Visit, s search, shared shared) (queuesView, error) {
	counts, err := p.workspace.QueueCounts(v.Context(), v.Person)
	if err != nil {
		return queuesView{}, err
	}
	saved, err := p.workspace.SavedFilters(v.Context(), v.Person)
	if err != nil {
		return queuesView{}, err
	}
	quarantined, err := p.workspace.Quarantined(v.Context(), v.Person)
	if err != nil {
		return queuesView{}, err
	}
	here := s.with("", "").Encode() // without the page
	self := shared.colleague(func(c desk.Colleague) bool { return c.ID == v.Person.ID })
	view := queuesView{Layout: v.Layout("", "/desk"), Swap: v.Partial(), Away: self.Away, Mails: quarantined}
	matched := false
	for _, f := range saved {
		address := savedAddress(f)
		is := address == "/desk?"+here
		matched = matched || is
		view.Saved = append(view.Saved, savedView{f, address, abbreviate(f.Name), is})
	}
	for i, q := range queueNames {
		count, counted := counts[q.queue]
		view.Queues = append(view.Queues, queueView{
			Name: q.name, Short: q.short, Key: string(rune('1' + i)), Address: "/desk?queue=" + string(q.queue),
			Count: count, Counted: counted, Urgent: q.queue == desk.QueueBreached && count > 0,
			Here: !matched && s.Queue == q.queue,
		})
	}
	return view, nil
}

// savedAddress returns the address of the list with a saved filter. The query is parsed and encoded again, so that it
// can't lead to another page.
func savedAddress(f desk.SavedFilter) string {
	values, err := url.ParseQuery(f.Query)
	if err != nil {
		return "/desk"
	}
	return "/desk?" + values.Encode()
}

// abbreviate returns the first letters of a name, for the narrow column.
func abbreviate(name string) string {
	const letters = 5
	if runes := []rune(name); len(runes) > letters {
		return string(runes[:letters])
	}
	return name
}
