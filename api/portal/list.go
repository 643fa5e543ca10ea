package portal

import (
	"net/http"
	"net/url"

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
	values := url.Values{}
	for name, value := range map[string]string{"status": t.Name, "q": t.Query, "after": after} {
		if value != "" {
			values.Set(name, value)
		}
	}
	if len(values) == 0 {
		return "/tickets"
	}
	return "/tickets?" + values.Encode()
}

// list shows the viewer's own tickets, newest first. A search for a ticket's number finds that ticket.
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
		return v.ShowStatus(http.StatusUnprocessableEntity, "tickets", view)
	}
	if n, err := v.ReadNumber(view.Query); err == nil { // not an error: other text may look like a number
		switch found, err := p.desk.Ticket(v.Context(), v.Person, n); fault.KindOf(err) {
		case fault.NotFound:
		default:
			if err != nil {
				return err
			}
			view.Rows = append(view.Rows, rowOf(found, view.Now))
			return v.Show("tickets", view)
		}
	}
	tickets, more, err := p.desk.List(v.Context(), filter)
	if err != nil {
		return err
	}
	for _, t := range tickets {
		view.Rows = append(view.Rows, rowOf(t, view.Now))
	}
	if more {
		view.Older = current.page(input.EncodeCursor(filter.Place(tickets[len(tickets)-1])))
	}
	return v.Show("tickets", view)
}
