package account

import (
	"encoding/json"
	"fmt"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/openid"
)

const keyAttempt = "openid" // session key of the sign-in that this browser has started

// attempt is a sign-in in progress and its destination.
type attempt struct {
	Attempt openid.Attempt
	Next    string
}

var (
	errNoProvider = fault.New(fault.NotFound, "sign-in with OpenID is not configured")
	errLimited    = fault.New(fault.Limited, "too many attempts; try again in a moment")
)

// beginOpenID redirects the browser to the provider. The response must come from the same browser: its session holds
// the attempt.
func (p *Pages) beginOpenID(v *page.Visit) error {
	if p.openid == nil {
		return errNoProvider
	}
	if !p.limiter.Allow(v.Source()) {
		return errLimited
	}
	to, a, err := p.openid.Begin(v.Context(), v.SignedIn())
	if err != nil {
		return err
	}
	stored, err := json.Marshal(attempt{a, page.Local(v.Query("next"))})
	if err != nil {
		return fmt.Errorf("encode sign-in attempt: %w", err)
	}
	v.Session.Put(keyAttempt, string(stored))
	return v.Redirect(to)
}

// finishOpenID handles the provider's response. Each attempt can be completed once.
func (p *Pages) finishOpenID(v *page.Visit) error {
	if p.openid == nil {
		return errNoProvider
	}
	var stored attempt
	if text := v.Session.Pop(keyAttempt); text == "" || json.Unmarshal([]byte(text), &stored) != nil {
		return p.signInFailed(v, "", fault.New(fault.Forbidden, "that sign-in was started in another browser or has expired; try again"))
	}
	identity, err := p.openid.Finish(v.Context(), stored.Attempt, v.Queries())
	if err != nil {
		return p.signInFailed(v, stored.Next, err)
	}
	in, err := p.accounts.SignInWithIdentity(v.Context(), identity)
	if err != nil {
		return p.signInFailed(v, stored.Next, err)
	}
	return p.signInSince(v, in, identity.SignedIn, stored.Next)
}

// signInFailed shows the sign-in page with the error, unless it is internal or an outage.
func (p *Pages) signInFailed(v *page.Visit, next string, err error) error {
	wrong, ok := problemsOf(err)
	if !ok {
		return err
	}
	return v.ShowStatus(403, "sign-in", p.signInView(v, "", next, wrong))
}
