package account

import (
	"context"
	"fmt"
	"net/url"
	"slices"

	"github.com/holesalemart/supportdesk/api/input"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tickets finds and reassigns the tickets of a disabled person.
type tickets interface {
	List(context.Context, desk.Filter) ([]desk.View, bool, error)
	Bulk(ctx context.Context, by desk.Person, numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request) ([]desk.Result, error)
}

// staff lists the people who can take over tickets.
type staff interface {
	request.StaffReader
	request.GroupReader
}

// What to do with the open tickets of a disabled person.
const (
	leaveTickets  = "leave"
	assignToAgent = "agent"
	assignToGroup = "group"
	closeTickets  = "close"
	batchSize     = desk.MaxBulk
)

type disableView struct {
	page.Layout
	Member   accounts.Member
	From     string // the list to return to
	Open     []desk.View
	More     bool // more than Open are open
	Staff    []desk.Colleague
	Groups   []desk.Group // with members who can take over tickets
	Problems problems
	Chosen   string
	Agent    string
	Group    string
	Report   *ticketReport // nil: tickets have not been handled
}

// Staffed reports whether the tickets are assigned to the person rather than submitted by them.
func (v disableView) Staffed() bool { return v.Member.Role.Staff() }

// ticketReport is the outcome for the tickets.
type ticketReport struct {
	Closed bool
	request.Several
}

// askDisable shows the effects of disabling a person and asks what to do with their open tickets; only the latter if
// they are disabled already.
func (p *Pages) askDisable(v *page.Visit) error {
	view, err := p.disableView(v, v.Query("from"))
	if err != nil {
		return err
	}
	return v.Show("disable", view)
}

func (p *Pages) disableView(v *page.Visit, from string) (view disableView, err error) {
	view = disableView{Layout: v.Layout("Disable account", "/people"), From: listPath(from)}
	if view.Member, err = p.accounts.Member(v.Context(), v.Person, ticket.PersonID(v.Param("id"))); err != nil || p.tickets == nil {
		return view, err
	}
	if view.Open, view.More, err = p.openTickets(v, view.Member); err != nil || !view.Staffed() {
		return view, err
	}
	if view.Staff, err = p.staff.Staff(v.Context()); err != nil {
		return view, err
	}
	themselves := func(c desk.Colleague) bool { return c.ID == view.Member.ID }
	view.Staff = slices.DeleteFunc(view.Staff, themselves)
	groups, err := p.staff.Groups(v.Context(), v.Person)
	for _, g := range groups {
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), themselves)
		if g.Present() > 0 {
			view.Groups = append(view.Groups, g)
		}
	}
	return view, err
}

// openTickets returns a member's open tickets: those assigned to staff, or submitted by a customer.
func (p *Pages) openTickets(v *page.Visit, m accounts.Member) ([]desk.View, bool, error) {
	f := desk.Filter{Viewer: v.Person, Queue: desk.QueueAll, Open: true, Limit: batchSize}
	if m.Role.Staff() {
		f.Assignee = string(m.ID)
	} else {
		f.Requester = string(m.ID)
	}
	return p.tickets.List(v.Context(), f)
}

// disable disables the account and then handles a batch of its open tickets. Failures are shown and can be retried on
// the same page.
func (p *Pages) disable(v *page.Visit, form url.Values) error {
	view, err := p.disableView(v, form.Get("from"))
	if err != nil {
		return err
	}
	view.Chosen, view.Agent, view.Group = form.Get("tickets"), form.Get("agent"), form.Get("group")
	r, assignees, err := view.request()
	if err == nil && view.Member.DisabledAt.IsZero() {
		err = p.accounts.Disable(v.Context(), v.Person, view.Member.ID)
	}
	if wrong, ok := problemsOf(err); ok {
		view.Problems = wrong
		return v.ShowStatus(wrong.status, "disable", view)
	}
	if err != nil {
		return err
	}
	if r.Verb == "" || len(view.Open) == 0 {
		if len(view.Open) == 0 {
			v.Flash("The account of %s is disabled.", view.Member.Name)
		} else {
			v.Flash("The account of %s is disabled. %s", view.Member.Name, view.remain())
		}
		return v.Redirect(view.From)
	}
	view.Report = &ticketReport{Closed: r.Verb == ticket.VerbClose}
	for agent, numbers := range share(view.Open, assignees) {
		r.Agent = agent
		results, err := p.tickets.Bulk(v.Context(), v.Person, numbers, nil, r)
		if err != nil {
			return err
		}
		view.Report.Add(results)
	}
	if view.Member.DisabledAt.IsZero() {
		view.Member.DisabledAt = view.Now
	}
	if view.Open, view.More, err = p.openTickets(v, view.Member); err != nil {
		return err
	}
	return v.Show("disable", view)
}

// remain describes how many tickets stay open.
func (v disableView) remain() string {
	n := fmt.Sprint(len(v.Open))
	if v.More {
		n = "more than " + n
	}
	if v.Staffed() {
		return "They still have " + n + " open tickets; reassign them when you can."
	}
	return "They have " + n + " open tickets, which are handled as usual."
}

// request returns the command for each ticket and the handles of the assignees. A zero Request means none.
func (v disableView) request() (r desk.Request, assignees []string, err error) {
	var f input.Fields
	switch v.Chosen {
	case "":
		if len(v.Open) > 0 {
			return r, nil, fault.Field("tickets", "choose what to do with the open tickets")
		}
		return r, nil, nil
	case leaveTickets:
		if v.Agent+v.Group != "" { // selected in a list without its radio button
			return r, nil, fault.Field("tickets", "choose either to leave the open tickets or a new assignee")
		}
		return r, nil, nil
	case closeTickets:
		if !v.Staffed() {
			return input.Command(&f, ticket.VerbClose, nil), []string{""}, nil
		}
	case assignToAgent:
		if slices.ContainsFunc(v.Staff, func(c desk.Colleague) bool { return c.Handle == v.Agent }) {
			assignees = []string{v.Agent}
		}
	case assignToGroup:
		for _, g := range v.Groups {
			for _, c := range g.Members {
				if g.Handle == v.Group && !c.Away.Now() {
					assignees = append(assignees, c.Handle)
				}
			}
		}
	}
	if len(assignees) == 0 {
		return r, nil, fault.Field("tickets", "choose a new assignee for the open tickets")
	}
	// Tickets that were reassigned in the meantime stay with their assignee.
	r = input.Command(&f, ticket.VerbAssign, url.Values{"expected": {string(v.Member.ID)}})
	return r, assignees, f.Err()
}

// share distributes tickets among assignees in turn.
func share(open []desk.View, assignees []string) map[string][]ticket.Number {
	shares := map[string][]ticket.Number{}
	for i, t := range open {
		assignee := assignees[i%len(assignees)]
		shares[assignee] = append(shares[assignee], t.Number)
	}
	return shares
}
