package portal

import (
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// errTooManyRequests refuses a source that asks too often.
var errTooManyRequests = fault.New(fault.Limited, "that was too often; try again in a moment")

// open takes a link from a mail: from here on this browser may read and answer that one ticket. The token leaves the
// address at once, so that it is neither bookmarked nor passed on.
func (p *Pages) open(v *page.Visit) error {
	if !p.linkLimiter.Allow(v.Source()) {
		return errTooManyRequests
	}
	grant, err := p.links.ReadLink(v.Context(), v.Param("token"))
	if link.Expired(err) {
		v.Flash("That link has expired. Sign in to read the conversation, or see here where the ticket stands.")
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
	if v.Person.ID != grant.Person { // who is signed in needs no grant
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

// showEnded says why a link that was good does not work any more, and how to go on.
func showEnded(v *page.Visit, n ticket.Number) error {
	return v.ShowStatus(http.StatusGone, "link-ended", struct {
		page.Layout
		Number ticket.Number
	}{v.Layout("This link was ended", ""), n})
}
