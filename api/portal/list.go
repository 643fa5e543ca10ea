package portal

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const perPage = 20

type listView struct {
	page.Layout
	Tabs  []tab
	Tab   string // name of the current tab
	Query string
	Wrong string // error of the query
	Rows  []row
	Later bool   // not the first page
	Older string // address of the next page; empty on the last
	First string // address of the first page
}

// tab is a group of statuses.
type tab struct {
	Name     string // in addresses; empty: all
	Label    string
	Statuses []ticket.Status
	Query    string // search text, which all tabs keep
}

var tabs = []tab{
	{Name: "", Label: "All"},
	{Name: "open", Label: "With us", Statuses: []ticket.Status{ticket.StatusNew, ticket.StatusOpen}},
	{Name: "waiting", Label: "Waiting for you", Statuses: []ticket.Status{ticket.StatusWaiting}},
	{Name: "resolved", Label: "Resolved", Statuses: []ticket.Status{ticket.StatusResolved}},
	{Name: "closed", Label: "Closed", Statuses: []ticket.Status{ticket.StatusClosed}},
}

// Address returns the address of the tab's first page.
func (t tab) Address() string { return t.page("") }

func (t tab) page(after string) string {
	return page.Address("/tickets", "status", t.Name, "q", t.Query, "after", after)
}

// list shows the tickets of which the viewer is the requester or a participant, newest first. A search for a ticket's number finds that ticket.
func (p *Pages) list(v *page.Visit) error {
	if v.Person.Role.Staff() {
		return v.Redirect("/desk")
	}
	var f input.Fields
	view := listView{Layout: v.Layout("My tickets", "/tickets"), Query: f.Optional("q", v.Query("q"), input.MaxSearch)}
	filter := desk.Filter{Viewer: v.Person, Text: view.Query, After: f.Cursor("after", v.Query("after")), Limit: perPage}
	current := tab{Query: view.Query}
	for _, t := range tabs {
		t.Query = view.Query
		if t.Name == v.Query("status") {
			current = t
		}
		view.Tabs = append(view.Tabs, t)
	}
	view.Tab, filter.Statuses = current.Name, current.Statuses
	view.First, view.Later = current.Address(), filter.After.Number != ""
	if err := f.Err(); err != nil {
		view.Wrong = "That search isn't valid. Try a few words."
		return v.ShowError(err, "tickets", view)
	}
	if n, err := v.ReadNumber(view.Query); err == nil { // not an error: other text may look like a number
		found, err := p.desk.Ticket(v.Context(), v.Person, n)
		if err == nil {
			view.Rows = append(view.Rows, rowOf(found, v.Person, view.Now))
			return v.Show("tickets", view)
		}
		if fault.KindOf(err) != fault.NotFound {
			return err
		}
	}
	tickets, more, err := p.desk.List(v.Context(), filter)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		view.Rows = append(view.Rows, rowOf(t, v.Person, view.Now))
	}
	if more {
		view.Older = current.page(input.EncodeCursor(filter.Place(tickets[len(tickets)-1])))
	}
	return v.Show("tickets", view)
}

// perGroup is the number of tickets in each group of the dashboard. The list shows all.
const perGroup = 20

type dashboardView struct {
	page.Layout
	NeedsYou []row // waiting for the requester, or resolved and to be confirmed
	WithUs   []row // ordered by the next promised instant
	More     bool  // there are more open tickets
}

// row is a ticket in a list.
type row struct {
	desk.View
	Status      status
	Next        nextEvent
	Participant bool // the viewer is a participant, not the requester
}

func rowOf(v desk.View, viewer desk.Person, now time.Time) row {
	participant := v.Requester.ID != viewer.ID
	return row{View: v, Status: statusFor(v.Ticket.Status, participant), Next: nextEventOf(v, now), Participant: participant}
}

func (p *Pages) dashboard(v *page.Visit) error {
	if v.Person.Role.Staff() {
		return v.Redirect("/desk")
	}
	view := dashboardView{Layout: v.Layout("Dashboard", "/dashboard")}
	for group, statuses := range map[*[]row][]ticket.Status{
		&view.NeedsYou: {ticket.StatusWaiting, ticket.StatusResolved},
		&view.WithUs:   {ticket.StatusNew, ticket.StatusOpen},
	} {
		tickets, more, err := p.desk.List(v.Context(), desk.Filter{Viewer: v.Person, Statuses: statuses, Limit: perGroup})
		if err != nil {
			return err
		}
		view.More = view.More || more
		for _, t := range tickets {
			r := rowOf(t, v.Person, view.Now)
			if r.Participant { // the requester has the next move, not the viewer
				view.WithUs = append(view.WithUs, r)
				continue
			}
			*group = append(*group, r)
		}
	}
	slices.SortStableFunc(view.WithUs, func(a, b row) int { return a.Next.At.Compare(b.Next.At) })
	return v.Show("dashboard", view)
}
