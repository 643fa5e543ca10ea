package portal

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
	Status status
	Next   nextEvent
}

func rowOf(v desk.View, now time.Time) row {
	return row{View: v, Status: statusOf(v.Ticket.Status), Next: nextEventOf(v, now)}
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
			*group = append(*group, rowOf(t, view.Now))
		}
	}
	slices.SortStableFunc(view.WithUs, func(a, b row) int { return a.Next.At.Compare(b.Next.At) })
	return v.Show("dashboard", view)
}
