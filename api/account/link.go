package account

import (
	"net/url"

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
	SignIn     string // page to sign in to the account of the link first; empty: that is not needed
}

// linkTexts are heading and button for each purpose.
var linkTexts = map[accounts.Purpose][2]string{
	accounts.SignIn:        {"Sign in", "Sign in"},
	accounts.Reset:         {"Choose a new password", "Save password and sign in"},
	accounts.AddAddress:    {"Confirm your address", "Add this address"},
	accounts.VerifyAddress: {"Welcome", "Create account"},
	accounts.Invitation:    {"You have been invited", "Accept invitation"},
}

func newLinkView(v *page.Visit, l accounts.Link) linkView {
	words := linkTexts[l.Purpose]
	view := linkView{
		Layout: v.Layout(words[0], ""), Link: l, Name: l.Person.Name, Heading: words[0], Button: words[1],
		Newcomer: l.Purpose == accounts.VerifyAddress || l.Purpose == accounts.Invitation,
	}
	if l.Purpose == accounts.AddAddress && l.Person.ID != v.Person.ID {
		view.SignIn = "/sign-in?next=" + url.QueryEscape("/link/"+v.Param("token"))
	}
	return view
}

// showLink does not use the link: mail scanners follow links and would use them up.
func (p *Pages) showLink(v *page.Visit) error {
	v.SetHeader("Cache-Control", "no-store")
	l, err := p.accounts.Open(v.Context(), v.Param("token"))
	if err != nil {
		return linkError(v, err)
	}
	return v.Show("link", newLinkView(v, l))
}

func linkError(v *page.Visit, err error) error {
	if fault.KindOf(err) != fault.NotFound {
		return err
	}
	return v.ShowStatus(404, "link-invalid", struct{ page.Layout }{v.Layout("Link no longer valid", "")})
}

func (p *Pages) useLink(v *page.Visit, form url.Values) error {
	v.SetHeader("Cache-Control", "no-store")
	l, err := p.accounts.Open(v.Context(), v.Param("token"))
	if err != nil {
		return linkError(v, err)
	}
	if l.Purpose == accounts.AddAddress {
		return p.confirmAddress(v, l)
	}
	used, err := p.accounts.Use(v.Context(), v.Param("token"), form.Get("name"), form.Get("password"), tokensFrom(form))
	if wrong, ok := problemsOf(err); ok {
		view := newLinkView(v, l)
		view.Problems, view.Name, view.KeepTokens = wrong, form.Get("name"), tokensFrom(form) == accounts.KeepTokens
		return v.ShowStatus(wrong.status, "link", view)
	}
	if err != nil {
		return linkError(v, err)
	}
	next := v.Session.Pop(keyNext)
	switch used.Purpose {
	case accounts.VerifyAddress, accounts.Invitation:
		v.Flash("Welcome, %s.", used.Person.Name)
	case accounts.Reset:
		v.Flash("Your password has been changed, and you are signed in.")
	}
	return p.signInAs(v, used.Authenticated, next)
}

// confirmAddress adds the address of a link to the account that asked for it. Others are asked to sign in to that account.
func (p *Pages) confirmAddress(v *page.Visit, l accounts.Link) error {
	address, err := p.accounts.ConfirmAddress(v.Context(), v.Person, v.Param("token"))
	if wrong, ok := problemsOf(err); ok {
		view := newLinkView(v, l)
		view.Problems = wrong
		return v.ShowStatus(wrong.status, "link", view)
	}
	if err != nil {
		return linkError(v, err)
	}
	v.Flash("%s is now one of your addresses.", address)
	return v.Redirect("/account")
}
