package portal

import (
	"net/http"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// noNumber is asked for in place of what can't be a number, so that both take the same way and the same time.
const noNumber ticket.Number = "-"

type trackView struct {
	page.Layout
	Asked    bool
	Found    *desk.Tracking // nil: nothing was asked for, or there is no such ticket
	Promises []promise
	Next     string
}

// Status is the found ticket's, in words.
func (v trackView) Status() status { return statusOf(v.Found.Status) }

func (p *Pages) trackTyped(v *page.Visit) error {
	if _, asked := v.Queries()["number"]; !asked {
		return v.Show("track", trackView{Layout: v.Layout("Track a ticket", "/track")})
	}
	return p.track(v, v.Query("number"))
}

func (p *Pages) trackNumber(v *page.Visit) error { return p.track(v, v.Param("number")) }

// track shows what the number alone shows: no words and no names. What was typed is not shown again, so that a number
// that was never drawn and text that can't be one are answered alike, to the byte.
func (p *Pages) track(v *page.Visit, typed string) error {
	if !p.tracking.Allow(v.Source()) {
		return errOften
	}
	n, err := ticket.ParseNumber(typed)
	if err != nil {
		n = noNumber
	}
	view := trackView{Layout: v.Layout("Track a ticket", "/track"), Asked: true}
	found, err := p.desk.Track(v.Context(), n)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return v.ShowStatus(http.StatusNotFound, "track", view)
	case err != nil:
		return err
	}
	view.Found = &found
	first, resolution := standings(found.Promises, found.Status, view.Now)
	view.Promises = []promise{first, resolution}
	return v.Show("track", view)
}
