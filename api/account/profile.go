package account

import (
	"errors"
	"net/url"
	"strconv"

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
	for _, name := range []string{"name", "signature", "address", "label", "scope", keepTokens} {
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
func proof(v *page.Visit, form url.Values) accounts.Proof {
	return accounts.Proof{Current: form.Get("current"), Recent: v.Session.Recent()}
}

// changed responds to a form of the account page: with a redirect, or with the form and its errors. Passwords are not
// shown again.
func (p *Pages) changed(v *page.Visit, form url.Values, name, done string, err error) error {
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == accounts.CodeReauthenticate {
		return v.SignInAgain("/account")
	}
	if err == nil {
		v.Flash("%s", done)
		return v.Redirect("/account")
	}
	wrong, ok := problemsOf(err)
	if !ok {
		return err
	}
	view, err := p.profileView(v)
	if err != nil {
		return err
	}
	view.Form, view.Problems, view.Typed = name, wrong, typed(form)
	return v.ShowStatus(wrong.status, "account", view)
}

func (p *Pages) changeName(v *page.Visit, form url.Values) error {
	return p.changed(v, form, "name", "Your name has been changed.", p.accounts.ChangeName(v.Context(), v.Person, form.Get("name")))
}

func (p *Pages) changeSignature(v *page.Visit, form url.Values) error {
	return p.changed(v, form, "signature", "Your signature has been saved.", p.accounts.ChangeSignature(v.Context(), v.Person, form.Get("signature")))
}

func (p *Pages) changePassword(v *page.Visit, form url.Values) error {
	return p.endSessions(v, form, "password", "Your password has been changed. ", func(tokens accounts.Tokens) (accounts.Authenticated, error) {
		return p.accounts.ChangePassword(v.Context(), v.Source(), v.Person, proof(v, form), form.Get("password"), tokens)
	})
}

func (p *Pages) addAddress(v *page.Visit, form url.Values) error {
	return p.changed(v, form, "address", "We have sent a link to that address. It becomes yours once you open the link.",
		p.accounts.AddAddress(v.Context(), v.Source(), v.Person, proof(v, form), form.Get("address")))
}

func (p *Pages) setPrimaryAddress(v *page.Visit, form url.Values) error {
	return p.changed(v, form, "further", "Your primary address has been changed. We write to it from now on.",
		gone(p.accounts.SetPrimaryAddress(v.Context(), v.Source(), v.Person, proof(v, form), form.Get("address"))))
}

func (p *Pages) removeAddress(v *page.Visit, form url.Values) error {
	return p.changed(v, form, "further", "The address has been removed, and links in our earlier emails no longer work.",
		gone(p.accounts.RemoveAddress(v.Context(), v.Source(), v.Person, proof(v, form), form.Get("address"))))
}

// gone returns an error that is shown on the page for an address that was removed in another window, and any other error as it is.
func gone(err error) error {
	if fault.KindOf(err) == fault.NotFound {
		return fault.NewConflict("no-such-address", "that is no longer one of your further addresses")
	}
	return err
}

func (p *Pages) signOutEverywhere(v *page.Visit, form url.Values) error {
	return p.endSessions(v, form, "sign-out-everywhere", "", func(tokens accounts.Tokens) (accounts.Authenticated, error) {
		return p.accounts.SignOutEverywhere(v.Context(), v.Person, tokens)
	})
}

// endSessions responds to a form that ends all other sessions, and lists what has ended.
func (p *Pages) endSessions(v *page.Visit, form url.Values, name, done string, act func(accounts.Tokens) (accounts.Authenticated, error)) error {
	tokens := tokensFrom(form)
	had, err := p.accounts.Tokens(v.Context(), v.Person)
	if err != nil {
		return err
	}
	done += "You have been signed out everywhere else, and links in our earlier emails no longer work."
	switch {
	case len(had) == 0:
	case tokens == accounts.KeepTokens:
		done += " Your API tokens still work."
	default:
		done += " Your API tokens have been revoked, too."
	}
	in, err := act(tokens)
	if err == nil {
		err = v.Session.Renew(in.Person, in.Epoch)
	}
	return p.changed(v, form, name, done, err)
}

// makeToken responds with the page that shows the new token, once: it is not stored in clear. The form's idempotency
// key prevents a reload or a second submission from creating another.
func (p *Pages) makeToken(v *page.Visit, values url.Values) error {
	token, err := p.accounts.CreateToken(v.Context(), v.Source(), v.Person, proof(v, values), v.IdempotencyKey().Key,
		values.Get("label"), values.Get("scope") == "write")
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == accounts.CodeTokenExists {
		v.Flash("That token has already been created and can't be shown again. If you did not copy it, revoke it and create another.")
		return v.Redirect("/account")
	}
	if err != nil {
		return p.changed(v, values, "tokens", "", err)
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
	return p.changed(v, nil, "tokens", "The token has been revoked.", p.accounts.RevokeToken(v.Context(), v.Person, id))
}
