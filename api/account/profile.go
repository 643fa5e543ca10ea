package account

import (
	"errors"
	"strconv"
	"strings"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type profileView struct {
	page.Layout
	Profile     accounts.Profile
	HasPassword bool
	Tokens      []accounts.Token
	NewToken    string // shown this once
	Form        string // the one that came back
	Problems    problems
	Typed       map[string]string
}

// Wrong gives what was wrong with a field of a form.
func (v profileView) Wrong(form, field string) string {
	if v.Form != form {
		return ""
	}
	return v.Problems.Fields[field]
}

// Again gives what was typed into a form that came back, and otherwise what stands there.
func (v profileView) Again(form, field, otherwise string) string {
	if typed, ok := v.Typed[field]; ok && v.Form == form {
		return typed
	}
	return otherwise
}

func (p *Pages) profileView(v *page.Visit) (profileView, error) {
	v.SetHeader("Cache-Control", "no-store")
	view := profileView{Layout: v.Layout("Your account", "/account")}
	var err error
	if view.Profile, err = p.accounts.Profile(v.Context(), v.Person); err != nil {
		return view, err
	}
	view.HasPassword = !view.Profile.PasswordSetAt.IsZero()
	view.Tokens, err = p.accounts.Tokens(v.Context(), v.Person)
	return view, err
}

func (p *Pages) showAccount(v *page.Visit) error {
	view, err := p.profileView(v)
	if err != nil {
		return err
	}
	view.NewToken = newToken(v)
	return v.Show("account", view)
}

// change answers one of the account's forms: with a flash, or with the form and what is wrong with it. Passwords don't
// come back.
func (p *Pages) change(v *page.Visit, form, done string, act func(field func(string) string) error) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	err = act(values.Get)
	wrong, ok := problemsOf(err)
	if err != nil && !ok {
		return err
	}
	if err == nil {
		v.Flash("%s", done)
		return v.Redirect("/account")
	}
	view, err := p.profileView(v)
	if err != nil {
		return err
	}
	view.Form, view.Problems = form, wrong
	view.Typed = map[string]string{"name": values.Get("name"), "address": values.Get("address"), "label": values.Get("label")}
	return v.ShowStatus(wrong.status, "account", view)
}

func (p *Pages) changeName(v *page.Visit) error {
	return p.change(v, "name", "Your name is changed.", func(field func(string) string) error {
		return p.accounts.ChangeName(v.Context(), v.Person, field("name"))
	})
}

func (p *Pages) changePassword(v *page.Visit) error {
	return p.change(v, "password", "Your password is changed. Everywhere else you are signed out.", func(field func(string) string) error {
		in, err := p.accounts.ChangePassword(v.Context(), v.Source(), v.Person, field("current"), field("password"))
		if err != nil {
			return err
		}
		return v.Session.SignIn(in.Person, in.Epoch)
	})
}

func (p *Pages) changeAddress(v *page.Visit) error {
	const done = "We have mailed a link to the new address. Your address changes when you open it."
	return p.change(v, "address", done, func(field func(string) string) error {
		return p.accounts.ChangeAddress(v.Context(), v.Source(), v.Person, field("current"), field("address"))
	})
}

func (p *Pages) signOutEverywhere(v *page.Visit) error {
	return p.change(v, "sign-out-everywhere", "Everywhere else you are signed out.", func(func(string) string) error {
		in, err := p.accounts.SignOutEverywhere(v.Context(), v.Person)
		if err != nil {
			return err
		}
		return v.Session.SignIn(in.Person, in.Epoch)
	})
}

// keyToken is the session's value for a token from when it is made until it is shown: whose it is, and itself.
const keyToken = "new-token"

// makeToken keeps the new token for the page that it leads to: one that this answer showed would be made again by a
// reload. A form that is sent twice makes one.
func (p *Pages) makeToken(v *page.Visit) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	token, err := p.accounts.MakeToken(v.Context(), v.Source(), v.Person, v.Once().Key,
		values.Get("current"), values.Get("label"), values.Get("scope") == "write")
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == accounts.CodeTokenMade {
		return v.Redirect("/account")
	}
	if err != nil {
		return p.change(v, "tokens", "", func(func(string) string) error { return err })
	}
	v.Session.Put(keyToken, string(v.Person.ID)+" "+token)
	return v.Redirect("/account")
}

// newToken gives a token that was made just now, this one time. It is empty when there is none for whoever asks.
func newToken(v *page.Visit) string {
	owner, token, _ := strings.Cut(v.Session.Pop(keyToken), " ")
	if owner != string(v.Person.ID) {
		return ""
	}
	return token
}

func (p *Pages) revokeToken(v *page.Visit) error {
	id, err := strconv.ParseInt(v.Param("id"), 10, 64)
	if err != nil {
		return fault.New(fault.NotFound, "you have no such token")
	}
	return p.change(v, "tokens", "The token is revoked.", func(func(string) string) error {
		return p.accounts.RevokeToken(v.Context(), v.Person, id)
	})
}
