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
	NewToken    string // shown only once
	Form        string // the form with errors
	Problems    problems
	Typed       map[string]string
}

// Wrong returns the message for a field of a form.
func (v profileView) Wrong(form, field string) string {
	if v.Form != form {
		return ""
	}
	return v.Problems.Fields[field]
}

// Again returns what was typed into a form with errors, or else the current value.
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

// typed returns the values to show again in a form; passwords are not among them.
func typed(values url.Values) map[string]string {
	stored := map[string]string{}
	for _, name := range []string{"name", "address", "label", "scope", keepTokens} {
		stored[name] = values.Get(name)
	}
	return stored
}

// keepTokens is the name of the check box that keeps API tokens when all sessions end.
const keepTokens = "keep-tokens"

func tokensFrom(values url.Values) accounts.Tokens {
	return accounts.Tokens(values.Get(keepTokens) != "")
}

// proof reads the proof that a form contains.
func proof(v *page.Visit, field func(string) string) accounts.Proof {
	return accounts.Proof{Current: field("current"), Recent: v.Session.Recent()}
}

// change responds to a form of the account page: with a redirect, or with the form and its errors. Passwords are not
// shown again.
func (p *Pages) change(v *page.Visit, form, done string, act func(field func(string) string) error) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	err = act(values.Get)
	if needsReauthentication(err) {
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
	return p.change(v, "name", "Your name has been changed.", func(field func(string) string) error {
		return p.accounts.ChangeName(v.Context(), v.Person, field("name"))
	})
}

func (p *Pages) changePassword(v *page.Visit) error {
	return p.endSessions(v, "password", "Your password has been changed.", func(field func(string) string, tokens accounts.Tokens) (accounts.Authenticated, error) {
		return p.accounts.ChangePassword(v.Context(), v.Source(), v.Person, proof(v, field), field("password"), tokens)
	})
}

func (p *Pages) changeAddress(v *page.Visit) error {
	const done = "We have sent a link to the new address. Your address changes once you open it."
	return p.change(v, "address", done, func(field func(string) string) error {
		return p.accounts.ChangeAddress(v.Context(), v.Source(), v.Person, proof(v, field), field("address"))
	})
}

func (p *Pages) signOutEverywhere(v *page.Visit) error {
	return p.endSessions(v, "sign-out-everywhere", "", func(_ func(string) string, tokens accounts.Tokens) (accounts.Authenticated, error) {
		return p.accounts.SignOutEverywhere(v.Context(), v.Person, tokens)
	})
}

// endSessions responds to a form that ends all other sessions, and lists what has ended.
func (p *Pages) endSessions(v *page.Visit, form, done string, act func(field func(string) string, tokens accounts.Tokens) (accounts.Authenticated, error)) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	tokens := tokensFrom(values)
	had, err := p.accounts.Tokens(v.Context(), v.Person)
	if err != nil {
		return err
	}
	done += " You have been signed out everywhere else, and links in our earlier emails no longer work."
	switch {
	case len(had) == 0:
	case tokens == accounts.KeepTokens:
		done += " Your API tokens still work."
	default:
		done += " Your API tokens have been revoked, too."
	}
	return p.change(v, form, strings.TrimSpace(done), func(field func(string) string) error {
		in, err := act(field, tokens)
		if err != nil {
			return err
		}
		return v.Session.Renew(in.Person, in.Epoch)
	})
}

// makeToken responds with the page that shows the new token, once: it is not stored in clear. The form's idempotency
// key prevents a reload or a second submission from creating another.
func (p *Pages) makeToken(v *page.Visit) error {
	values, err := v.Form()
	if err != nil {
		return err
	}
	token, err := p.accounts.CreateToken(v.Context(), v.Source(), v.Person, proof(v, values.Get), v.IdempotencyKey().Key,
		values.Get("label"), values.Get("scope") == "write")
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == accounts.CodeTokenExists {
		v.Flash("That token has already been created and can't be shown again. If you did not copy it, revoke it and create another.")
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
	return p.change(v, "tokens", "The token has been revoked.", func(func(string) string) error {
		return p.accounts.RevokeToken(v.Context(), v.Person, id)
	})
}
