package account

import (
	"net/url"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const peopleShown = 50 // per page

type peopleView struct {
	page.Layout
	Tabs        []tab
	From        string // the current list, to return to
	Role        string
	Search      string
	Members     []accounts.Member
	More        string // URL of the next page; empty: last page
	Invitations []accounts.PendingInvitation
	Roles       []ticket.Role // roles for invitations and changes
	Problems    problems
	Typed       desk.Person
}

type tab struct {
	Path, Label string
	Current     bool
}

var staffRoles = []ticket.Role{ticket.RoleAgent, ticket.RoleSupervisor, ticket.RoleAdministrator}

func (p *Pages) peopleView(v *page.Visit) (peopleView, error) {
	role, search := v.Query("role"), strings.TrimSpace(v.Query("q"))
	filter := accounts.MemberFilter{Role: ticket.Role(role), Search: search, After: v.Query("after"), Limit: peopleShown}
	view := peopleView{
		Layout: v.Layout("People", "/people"), Role: role, Search: search, Roles: staffRoles,
		Typed: desk.Person{Role: ticket.RoleAgent}, From: peoplePath(role, search, filter.After),
	}
	for _, t := range []tab{{"", "Staff", false}, {"agent", "Agents", false}, {"supervisor", "Supervisors", false},
		{"administrator", "Administrators", false}, {"customer", "Customers", false}} {
		t.Current, t.Path = t.Path == role, peoplePath(t.Path, search, "")
		view.Tabs = append(view.Tabs, t)
	}
	var more bool
	var err error
	if view.Members, more, err = p.accounts.Members(v.Context(), v.Person, filter); err != nil {
		return view, err
	}
	if more {
		view.More = peoplePath(role, search, view.Members[len(view.Members)-1].Address)
	}
	view.Invitations, err = p.accounts.Invitations(v.Context(), v.Person)
	return view, err
}

func peoplePath(role, search, after string) string {
	return page.Address("/people", "role", role, "q", search, "after", after)
}

func (p *Pages) showPeople(v *page.Visit) error {
	view, err := p.peopleView(v)
	if err != nil {
		return err
	}
	return v.Show("people", view)
}

func (p *Pages) invite(v *page.Visit, form url.Values) error {
	typed := desk.Person{
		Role: ticket.Role(form.Get("role")), Name: form.Get("name"), Address: form.Get("address"), Handle: form.Get("handle"),
	}
	done := "An invitation has been sent to " + strings.TrimSpace(typed.Address) + "."
	return p.managed(v, form, typed, done, p.accounts.Invite(v.Context(), v.Person, typed))
}

// managed responds to an administrator's change: with a redirect to the list they came from, or with the page and the
// errors.
func (p *Pages) managed(v *page.Visit, form url.Values, typed desk.Person, done string, err error) error {
	if err == nil {
		v.Flash("%s", done)
		return v.Redirect(listPath(form.Get("from")))
	}
	wrong, ok := problemsOf(err)
	if !ok {
		return err
	}
	view, err := p.peopleView(v)
	if err != nil {
		return err
	}
	view.Problems = wrong
	if typed.Role != "" {
		view.Typed = typed
	}
	return v.ShowStatus(wrong.status, "people", view)
}

// listPath returns the list of people that an administrator came from.
func listPath(from string) string {
	if from = page.Local(from); strings.HasPrefix(from, "/people") {
		return from
	}
	return "/people"
}

func (p *Pages) setRole(v *page.Visit, form url.Values) error {
	err := p.accounts.SetRole(v.Context(), v.Person, ticket.PersonID(v.Param("id")), ticket.Role(form.Get("role")))
	return p.managed(v, form, desk.Person{}, "The role has been changed. They have to sign in again.", err)
}

func (p *Pages) enable(v *page.Visit, form url.Values) error {
	err := p.accounts.Enable(v.Context(), v.Person, ticket.PersonID(v.Param("id")))
	return p.managed(v, form, desk.Person{}, "The account has been enabled.", err)
}

func (p *Pages) uninvite(v *page.Visit, form url.Values) error {
	err := p.accounts.WithdrawInvitation(v.Context(), v.Person, v.Param("id"))
	return p.managed(v, form, desk.Person{}, "The invitation has been withdrawn.", err)
}
