package account

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tickets is what somebody leaves behind, and who can take it over.
type tickets interface {
	List(context.Context, desk.Filter) ([]desk.View, bool, error)
	Bulk(ctx context.Context, by desk.Person, numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request) ([]desk.Result, error)
}

// staffing is who can take tickets over.
type staffing interface {
	request.StaffReader
	request.GroupReader
}

// What can be done with the open tickets of somebody who is disabled.
const (
	leaveTickets  = "leave"
	toAgent       = "agent"
	toGroup       = "group"
	closeTickets  = "close"
	ticketsAtOnce = desk.MaxBulk
)

type disableView struct {
	page.Layout
	Member   accounts.Member
	From     string // the list to come back to
	Open     []desk.View
	More     bool // there are more than these
	Staff    []desk.Colleague
	Groups   []desk.Group // with somebody in them to take tickets over
	Problems problems
	Chosen   string
	Agent    string
	Group    string
	Report   *handed // nil: nothing was done with the tickets yet
}

// Staffed reports whether the tickets are those that they work on, and not those that they sent.
func (v disableView) Staffed() bool { return v.Member.Role.Staff() }

// handed is what became of the tickets.
type handed struct {
	Closed bool
	Done   []ticket.Number
	Later  []ticket.Number // accepted, and not decided yet
	Failed []notHanded
}

type notHanded struct {
	Number ticket.Number
	Why    string
}

// askDisable says what disabling somebody does, and asks what is to become of their open tickets. For somebody who is
// disabled already it asks the latter alone.
func (p *Pages) askDisable(v *page.Visit) error {
	view, err := p.disableView(v, v.Query("from"))
	if err != nil {
		return err
	}
	return v.Show("disable", view)
}

func (p *Pages) disableView(v *page.Visit, from string) (view disableView, err error) {
	view = disableView{Layout: v.Layout("Disable somebody", "/people"), From: listOf(from)}
	if view.Member, err = p.accounts.Member(v.Context(), v.Person, ticket.PersonID(v.Param("id"))); err != nil || p.tickets == nil {
		return view, err
	}
	if view.Open, view.More, err = p.left(v, view.Member); err != nil || !view.Staffed() {
		return view, err
	}
	if view.Staff, err = p.staffing.Staff(v.Context()); err != nil {
		return view, err
	}
	themselves := func(c desk.Colleague) bool { return c.ID == view.Member.ID }
	view.Staff = slices.DeleteFunc(view.Staff, themselves)
	groups, err := p.staffing.Groups(v.Context(), v.Person)
	for _, g := range groups {
		g.Members = slices.DeleteFunc(slices.Clone(g.Members), themselves)
		if g.Present() > 0 {
			view.Groups = append(view.Groups, g)
		}
	}
	return view, err
}

// left lists a member's open tickets: those that they work on, or that they sent.
func (p *Pages) left(v *page.Visit, m accounts.Member) ([]desk.View, bool, error) {
	f := desk.Filter{Viewer: v.Person, Queue: desk.QueueAll, Open: true, Limit: ticketsAtOnce}
	if m.Role.Staff() {
		f.Assignee = string(m.ID)
	} else {
		f.Requester = string(m.ID)
	}
	return p.tickets.List(v.Context(), f)
}

// disable shuts somebody out, and then deals with their open tickets, some at a time. What can't be done is shown, and
// can be tried again from the same page.
func (p *Pages) disable(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	view, err := p.disableView(v, form.Get("from"))
	if err != nil {
		return err
	}
	view.Chosen, view.Agent, view.Group = form.Get("tickets"), form.Get("agent"), form.Get("group")
	r, takers, err := view.wanted()
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
			v.Flash("%s is disabled.", view.Member.Name)
		} else {
			v.Flash("%s is disabled. %s", view.Member.Name, view.remain())
		}
		return v.Redirect(view.From)
	}
	view.Report = &handed{Closed: r.Verb == ticket.VerbClose}
	for agent, numbers := range share(view.Open, takers) {
		r.Agent = agent
		results, err := p.tickets.Bulk(v.Context(), v.Person, numbers, nil, r)
		if err != nil {
			return err
		}
		view.Report.add(results)
	}
	if view.Member.DisabledAt.IsZero() {
		view.Member.DisabledAt = view.Now
	}
	if view.Open, view.More, err = p.left(v, view.Member); err != nil {
		return err
	}
	return v.Show("disable", view)
}

// remain says how many open tickets are left as they are.
func (v disableView) remain() string {
	n := fmt.Sprint(len(v.Open))
	if v.More {
		n = "more than " + n
	}
	if v.Staffed() {
		return "They still have " + n + " open: hand them over when you can."
	}
	return "They have " + n + " open, which are answered as before."
}

// wanted is what is asked of each ticket, and the handles of who takes them over; a zero Request: nothing.
func (v disableView) wanted() (r desk.Request, takers []string, err error) {
	switch v.Chosen {
	case "":
		if len(v.Open) > 0 {
			return r, nil, fault.Field("tickets", "choose what becomes of the open tickets")
		}
		return r, nil, nil
	case leaveTickets:
		if v.Agent+v.Group != "" { // chosen from a list, and the button beside the list was forgotten
			return r, nil, fault.Field("tickets", "choose either to leave the open tickets or who takes them over")
		}
		return r, nil, nil
	case closeTickets:
		if !v.Staffed() {
			return desk.Request{Verb: ticket.VerbClose}, []string{""}, nil
		}
	case toAgent:
		if slices.ContainsFunc(v.Staff, func(c desk.Colleague) bool { return c.Handle == v.Agent }) {
			takers = []string{v.Agent}
		}
	case toGroup:
		for _, g := range v.Groups {
			for _, c := range g.Members {
				if g.Handle == v.Group && !c.Away.Now() {
					takers = append(takers, c.Handle)
				}
			}
		}
	}
	if len(takers) == 0 {
		return r, nil, fault.Field("tickets", "choose who takes the open tickets over")
	}
	expected := string(v.Member.ID) // somebody else's by now: it stays theirs
	return desk.Request{Verb: ticket.VerbAssign, Expected: &expected}, takers, nil
}

// share deals tickets out, one to each in turn.
func share(open []desk.View, takers []string) map[string][]ticket.Number {
	shares := map[string][]ticket.Number{}
	for i, t := range open {
		taker := takers[i%len(takers)]
		shares[taker] = append(shares[taker], t.Number)
	}
	return shares
}

func (h *handed) add(results []desk.Result) {
	for _, r := range results {
		switch {
		case r.Done():
			h.Done = append(h.Done, r.Number)
		case r.Seq > 0 && !r.Outcome.Refused:
			h.Later = append(h.Later, r.Number)
		default:
			h.Failed = append(h.Failed, notHanded{r.Number, why(r)})
		}
	}
}

func why(r desk.Result) string {
	if r.Outcome.Refused {
		return r.Outcome.Reason
	}
	if e, ok := errors.AsType[*fault.Error](r.Err); ok && e.Kind != fault.Internal {
		return e.Message
	}
	return "it failed on our side; try again"
}

// listOf is the list of people that an administrator came from.
func listOf(from string) string {
	if from = local(from); len(from) >= len("/people") && from[:len("/people")] == "/people" {
		return from
	}
	return "/people"
}
