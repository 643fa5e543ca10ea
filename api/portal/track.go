package portal

import (
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

type trackView struct {
	page.Layout
	Typed    string
	Wrong    string         // error of the typed number
	Found    *desk.Tracking // nil: nothing was searched for, or there is no such ticket
	Promises []promise
	Next     string
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
		view.Wrong = page.Sentence(fieldErrors(err)["number"])
		return v.ShowStatus(http.StatusUnprocessableEntity, "track", view)
	}
	found, err := p.desk.Track(v.Context(), n)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		view.Wrong = "There is no ticket " + string(n) + ". Please check the number in our emails."
		return v.ShowStatus(http.StatusNotFound, "track", view)
	case err != nil:
		return err
	}
	view.Found, view.Typed = &found, ""
	first, resolution := newPromises(found.Promises, found.Status, view.Now)
	view.Promises = []promise{first, resolution}
	return v.Show("track", view)
}
