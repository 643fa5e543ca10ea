package account

import (
	"errors"
	"net/url"
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
	return v.Show("account", view)
}

// typed is what comes back with a form of the account's: passwords don't.
func typed(values url.Values) map[string]string {
	kept := map[string]string{}
	for _, name := range []string{"name", "address", "label", "scope", keepTokens} {
		kept[name] = values.Get(name)
	}
	return kept
}

// keepTokens is the box that keeps API tokens when everything else ends.
const keepTokens = "keep-tokens"

func tokensOf(values url.Values) accounts.Tokens {
	return accounts.Tokens(values.Get(keepTokens) != "")
}

// proof is what a form shows beside the session.
func proof(v *page.Visit, field func(string) string) accounts.Proof {
	return accounts.Proof{Current: field("current"), Recent: v.Session.Recent()}
}

// change answers one of the account's forms: with a flash, or with the form and what is wrong with it. Passwords don't
// come back.
func (p *Pages) change(v *page.Visit, form, done string, act func(field func(string) string) error) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	err = act(values.Get)
	if needsAgain(err) {
		return v.SignInAgain("/account")
	}
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
	view.Form, view.Problems, view.Typed = form, wrong, typed(values)
	return v.ShowStatus(wrong.status, "account", view)
}

func (p *Pages) changeName(v *page.Visit) error {
	return p.change(v, "name", "Your name is changed.", func(field func(string) string) error {
		return p.accounts.ChangeName(v.Context(), v.Person, field("name"))
	})
}

func (p *Pages) changePassword(v *page.Visit) error {
	return p.ending(v, "password", "Your password is changed.", func(field func(string) string, tokens accounts.Tokens) (accounts.Entry, error) {
		return p.accounts.ChangePassword(v.Context(), v.Source(), v.Person, proof(v, field), field("password"), tokens)
	})
}

func (p *Pages) changeAddress(v *page.Visit) error {
	const done = "We have mailed a link to the new address. Your address changes when you open it."
	return p.change(v, "address", done, func(field func(string) string) error {
		return p.accounts.ChangeAddress(v.Context(), v.Source(), v.Person, proof(v, field), field("address"))
	})
}

func (p *Pages) signOutEverywhere(v *page.Visit) error {
	return p.ending(v, "sign-out-everywhere", "", func(_ func(string) string, tokens accounts.Tokens) (accounts.Entry, error) {
		return p.accounts.SignOutEverywhere(v.Context(), v.Person, tokens)
	})
}

// ending answers a form that ends all sessions but this one, and says what ended.
func (p *Pages) ending(v *page.Visit, form, done string, act func(field func(string) string, tokens accounts.Tokens) (accounts.Entry, error)) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	tokens := tokensOf(values)
	had, err := p.accounts.Tokens(v.Context(), v.Person)
	if err != nil {
		return err
	}
	done += " Everywhere else you are signed out, and links in mails that we sent to you before do not work any more."
	switch {
	case len(had) == 0:
	case tokens == accounts.KeepTokens:
		done += " Your API tokens go on working."
	default:
		done += " Your API tokens have ended, too."
	}
	return p.change(v, form, strings.TrimSpace(done), func(field func(string) string) error {
		in, err := act(field, tokens)
		if err != nil {
			return err
		}
		return v.Session.Renew(in.Person, in.Epoch)
	})
}

// makeToken answers with the page that shows the new token, this one time: it is kept nowhere in clear. The form's key
// makes a reload, or a form that is sent twice, make no other one.
func (p *Pages) makeToken(v *page.Visit) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	token, err := p.accounts.MakeToken(v.Context(), v.Source(), v.Person, proof(v, values.Get), v.Once().Key,
		values.Get("label"), values.Get("scope") == "write")
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == accounts.CodeTokenMade {
		v.Flash("That token was made already and can't be shown again. If you have not copied it, revoke it and make another.")
		return v.Redirect("/account")
	}
	if err != nil {
		return p.change(v, "tokens", "", func(func(string) string) error { return err })
	}
	view, err := p.profileView(v)
	if err != nil {
		return err
	}
	view.NewToken = token
	return v.Show("account", view)
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
