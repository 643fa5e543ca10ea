package panel

import (
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
	c := choice{Label: label, Name: name, Options: first}
	for _, value := range all {
		c.Options = append(c.Options, option{Value: string(value), Text: string(value)})
	}
	for i := range c.Options {
		c.Options[i].Chosen = c.Options[i].Value == string(chosen)
	}
	return c
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
	c.zone = v.Layout("", "").Zone
	_, c.policy, _, err = p.desk.PolicyInForce(v.Context())
	return c, err
}

// assignees returns a choice of agents by handle.
func (c shared) assignees(label, name, chosen string, first ...option) choice {
	choice := choice{Label: label, Name: name, Options: first}
	for _, colleague := range c.colleagues {
		choice.Options = append(choice.Options, option{Value: colleague.Handle, Text: colleagueLabel(colleague)})
	}
	for i := range choice.Options {
		choice.Options[i].Chosen = choice.Options[i].Value == chosen
	}
	return choice
}

// colleagueLabel returns the label of an agent in a choice.
func colleagueLabel(c desk.Colleague) string {
	if c.Away.Now() {
		return c.Name + " (away)"
	}
	return c.Name
}

// name returns the name of the agent with the given handle. It returns the handle if the agent is no longer on the
// staff.
func (c shared) name(handle string) string {
	for _, colleague := range c.colleagues {
		if colleague.Handle == handle {
			return colleague.Name
		}
	}
	return handle
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
		Colleagues: shared.colleagues, Priorities: policy.Priorities(), Categories: shared.policy.Categories,
		Snooze: snoozeChoice(time.Time{}, time.Now().In(shared.zone)),
		Swap:   v.Partial(),
	}
	view.QueueChoice = choice{Label: "Queue", Name: "queue"}
	for _, q := range queueNames {
		view.QueueChoice.Options = append(view.QueueChoice.Options, option{Value: string(q.queue), Text: q.name, Chosen: q.queue == s.Queue})
	}
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
