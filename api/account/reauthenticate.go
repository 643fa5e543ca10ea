package account

import (
	"errors"

	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// againView asks a person who is signed in to authenticate again.
type againView struct {
	page.Layout
	Problems    problems
	Next        string
	HasPassword bool
	OpenID      string // name of the provider; empty: none, or not for this person
}

func (p *Pages) againView(v *page.Visit, next string, wrong problems) (againView, error) {
	profile, err := p.accounts.Profile(v.Context(), v.Person)
	view := againView{
		Layout: v.Layout("Sign in again", ""), Problems: wrong, Next: localPath(next), HasPassword: !profile.PasswordSetAt.IsZero(),
	}
	if p.openid != nil && v.Person.Role.Staff() {
		view.OpenID = p.openid.Name()
	}
	return view, err
}

func (p *Pages) showAgain(v *page.Visit) error {
	view, err := p.againView(v, v.Query("next"), problems{})
	if err != nil {
		return err
	}
	return v.Show("sign-in-again", view)
}

func (p *Pages) signInAgain(v *page.Visit) error {
	form, err := v.Form()
	if err != nil {
		return err
	}
	in, err := p.accounts.Reauthenticate(v.Context(), v.Source(), v.Person, form.Get("current"))
	if wrong, ok := problemsOf(err); ok {
		view, err := p.againView(v, form.Get("next"), wrong)
		if err != nil {
			return err
		}
		return v.ShowStatus(wrong.status, "sign-in-again", view)
	}
	if err != nil {
		return err
	}
	return p.signInAs(v, in, form.Get("next"))
}

// needsReauthentication reports whether a change was refused because the person must authenticate again.
func needsReauthentication(err error) bool {
	refused, ok := errors.AsType[*fault.Error](err)
	return ok && refused.Code == accounts.CodeReauthenticate
}
