package portal

import (
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// errTooManyRequests refuses requests over the rate limit of a source.
var errTooManyRequests = fault.New(fault.Limited, "too many requests; try again in a moment")

// open exchanges a link from a mail for access to its one ticket in this browser's session. It redirects at once, so
// that the token is neither bookmarked nor passed on with the address.
func (p *Pages) open(v *page.Visit) error {
	if !p.linkLimiter.Allow(v.Source()) {
		return errTooManyRequests
	}
	grant, err := p.links.ReadLink(v.Context(), v.Param("token"))
	if link.Expired(err) {
		v.Flash("That link has expired. Sign in to read the conversation. The ticket’s status is shown below.")
		return v.Redirect("/track/" + string(grant.Number))
	}
	if link.Revoked(err) {
		if v.Person.ID == grant.Person {
			return v.Redirect("/tickets/" + string(grant.Number))
		}
		return showEnded(v, grant.Number)
	}
	if err != nil {
		return err
	}
	if v.Person.ID != grant.Person { // signed in as that person: no grant is needed
		epoch, err := p.links.SessionEpoch(v.Context(), grant.Person)
		if err != nil {
			return err
		}
		if err := v.Session.Grant(grant.Number, grant.Person, epoch, grant.Expires); err != nil {
			return err
		}
	}
	return v.Redirect("/tickets/" + string(grant.Number))
}

// showEnded says that a link was revoked, and how to go on.
func showEnded(v *page.Visit, n ticket.Number) error {
	return v.ShowStatus(http.StatusGone, "link-ended", struct {
		page.Layout
		Number ticket.Number
	}{v.Layout("This link no longer works", ""), n})
}
