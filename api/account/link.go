package account

import (
	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type linkView struct {
	page.Layout
	Link     accounts.Link
	Problems problems
	Name     string
	Newcomer bool
	Heading  string
	Button   string

	KeepTokens bool
}

// linkWords are the heading and the button of each purpose.
var linkWords = map[accounts.Purpose][2]string{
	accounts.SignIn:     {"Sign in", "Sign in"},
	accounts.Reset:      {"Choose a new password", "Save the password and sign in"},
	accounts.Move:       {"Confirm your new address", "Use this address"},
	accounts.Verify:     {"Welcome", "Create the account"},
	accounts.Invitation: {"You are invited", "Accept the invitation"},
}

func newLinkView(v *page.Visit, l accounts.Link) linkView {
	words := linkWords[l.Purpose]
	return linkView{
		Layout: v.Layout(words[0], ""), Link: l, Name: l.Person.Name, Heading: words[0], Button: words[1],
		Newcomer: l.Purpose == accounts.Verify || l.Purpose == accounts.Invitation,
	}
}

// showLink uses nothing: mail scanners follow links, and would use them up.
func (p *Pages) showLink(v *page.Visit) error {
	v.SetHeader("Cache-Control", "no-store")
	l, err := p.accounts.Open(v.Context(), v.Param("token"))
	if err != nil {
		return deadLink(v, err)
	}
	return v.Show("link", newLinkView(v, l))
}

func deadLink(v *page.Visit, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return v.ShowStatus(404, "link-over", struct{ page.Layout }{v.Layout("This link is over", "")})
}

func (p *Pages) useLink(v *page.Visit) error {
	v.SetHeader("Cache-Control", "no-store")
	form, err := v.Form()
	if err != nil {
		return err
	}
	used, err := p.accounts.Use(v.Context(), v.Param("token"), form.Get("name"), form.Get("password"), tokensOf(form))
	if wrong, ok := problemsOf(err); ok {
		l, err := p.accounts.Open(v.Context(), v.Param("token"))
		if err != nil {
			return deadLink(v, err)
		}
		view := newLinkView(v, l)
		view.Problems, view.Name, view.KeepTokens = wrong, form.Get("name"), tokensOf(form) == accounts.KeepTokens
		return v.ShowStatus(wrong.status, "link", view)
	}
	if err != nil {
		return deadLink(v, err)
	}
	if used.Purpose == accounts.Move {
		v.Flash("From now on we write to %s.", used.Person.Address)
		return v.Redirect("/account") // or to signing in first: the link proves an address, and no more
	}
	next := v.Session.Pop(keyNext)
	switch used.Purpose {
	case accounts.Verify, accounts.Invitation:
		v.Flash("Welcome, %s.", used.Person.Name)
	case accounts.Reset:
		v.Flash("Your password is changed, and you are signed in.")
	}
	return p.enter(v, used.Entry, next)
}
