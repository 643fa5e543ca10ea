package account

import (
	"encoding/json"
	"fmt"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/openid"
)

const keyAttempt = "openid" // the sign-in that this browser has begun

// attempt is a sign-in elsewhere, and where it leads.
type attempt struct {
	Attempt openid.Attempt
	Next    string
}

var (
	errNoProvider = fault.New(fault.NotFound, "signing in elsewhere is not set up here")
	errOften      = fault.New(fault.Limited, "that was too often; try again in a moment")
)

// beginOpenID sends the browser to the provider. What comes back must be from the same browser: the session has it.
func (p *Pages) beginOpenID(v *page.Visit) error {
	if p.openid == nil {
		return errNoProvider
	}
	if !p.beginning.Allow(v.Source()) {
		return errOften
	}
	to, a, err := p.openid.Begin(v.Context(), v.SignedIn())
	if err != nil {
		return err
	}
	kept, err := json.Marshal(attempt{a, local(v.Query("next"))})
	if err != nil {
		return fmt.Errorf("keep an attempt to sign in: %w", err)
	}
	v.Session.Put(keyAttempt, string(kept))
	return v.Redirect(to)
}

// finishOpenID takes the provider's answer. Each attempt is good for one.
func (p *Pages) finishOpenID(v *page.Visit) error {
	if p.openid == nil {
		return errNoProvider
	}
	var kept attempt
	if text := v.Session.Pop(keyAttempt); text == "" || json.Unmarshal([]byte(text), &kept) != nil {
		return p.notIn(v, "", fault.New(fault.Forbidden, "that sign-in was begun in another browser, or is over; try again"))
	}
	identity, err := p.openid.Finish(v.Context(), kept.Attempt, v.Queries())
	if err != nil {
		return p.notIn(v, kept.Next, err)
	}
	in, err := p.accounts.ByIdentity(v.Context(), identity)
	if err != nil {
		return p.notIn(v, kept.Next, err)
	}
	return p.enterSince(v, in, identity.SignedIn, kept.Next)
}

// notIn shows the way in again, with what was wrong, unless it is a defect or an outage.
func (p *Pages) notIn(v *page.Visit, next string, err error) error {
	wrong, ok := problemsOf(err)
	if !ok {
		return err
	}
	return v.ShowStatus(403, "sign-in", p.signInView(v, "", next, wrong))
}
