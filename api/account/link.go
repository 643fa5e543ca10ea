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
	return linkView{
		Layout: v.Layout(words[0], ""), Link: l, Name: l.Person.Name, Heading: words[0], Button: words[1],
		Newcomer: l.Purpose == accounts.VerifyAddress || l.Purpose == accounts.Invitation,
	}
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
	used, err := p.accounts.Use(v.Context(), v.Param("token"), form.Get("name"), form.Get("password"), tokensFrom(form))
	if wrong, ok := problemsOf(err); ok {
		l, err := p.accounts.Open(v.Context(), v.Param("token"))
		if err != nil {
			return linkError(v, err)
		}
		view := newLinkView(v, l)
		view.Problems, view.Name, view.KeepTokens = wrong, form.Get("name"), tokensFrom(form) == accounts.KeepTokens
		return v.ShowStatus(wrong.status, "link", view)
	}
	if err != nil {
		return linkError(v, err)
	}
	if used.Purpose == accounts.AddAddress {
		v.Flash("%s is now one of your addresses.", used.Address)
		return v.Redirect("/account") // through sign-in if necessary: the link only proves the address
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
