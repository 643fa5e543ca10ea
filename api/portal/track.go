package portal

import (
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type trackView struct {
	page.Layout
	Typed    string
	Wrong    string         // error of the typed number
	Found    *desk.Tracking // nil: nothing was searched for, or there is no such ticket
	Promises []promise
}

// Status returns the status of the ticket in words.
func (v trackView) Status() status { return statusOf(v.Found.Status) }

func (p *Pages) trackTyped(v *page.Visit) error {
	if _, submitted := v.Queries()["number"]; !submitted {
		return v.Show("track", trackView{Layout: v.Layout("Track a ticket", "/track")})
	}
	return p.track(v, truncate(v.Query("number")))
}

func (p *Pages) trackNumber(v *page.Visit) error { return p.track(v, truncate(v.Param("number"))) }

// maxTyped is how much of a typed number is shown again, in characters.
const maxTyped = 40

func truncate(typed string) string {
	if letters := []rune(typed); len(letters) > maxTyped {
		return string(letters[:maxTyped])
	}
	return typed
}

// track shows what anybody may see who knows the number: no messages and no names. An invalid number is shown again
// with the error; it counts against the rate limit like a valid one.
func (p *Pages) track(v *page.Visit, typed string) error {
	if !p.trackLimiter.Allow(v.Source()) {
		return errTooManyRequests
	}
	view := trackView{Layout: v.Layout("Track a ticket", "/track"), Typed: typed}
	n, err := v.ReadNumber(typed)
	if err != nil {
		view.Wrong = page.Sentence(page.FieldErrors(err)["number"])
		return v.ShowError(err, "track", view)
	}
	found, err := p.desk.Track(v.Context(), n)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		view.Wrong = "There is no ticket " + string(n) + ". Please check the number in our emails."
		return v.ShowError(err, "track", view)
	case err != nil:
		return err
	}
	view.Found, view.Typed = &found, ""
	first, resolution := newPromises(found.Promises, found.Status, view.Now)
	view.Promises = []promise{first, resolution}
	return v.Show("track", view)
}

// errTooManyRequests refuses requests over the rate limit of a source.
var errTooManyRequests = fault.New(fault.Limited, "too many requests; try again in a moment")

// open exchanges a link from an email for access to its one ticket in this browser's session. It redirects at once, so
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
