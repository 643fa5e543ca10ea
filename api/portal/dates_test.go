package portal_test

import (
	"log/slog"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/demotest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// newFixtureWithDemo returns a portal with the demonstration's tickets, and the desk that holds them.
func newFixtureWithDemo(t *testing.T) (*fixture, *demotest.Desk) {
	t.Helper()
	d := demotest.New(t, 600)
	o := &fixture{Fixture: sitetest.New(t, d.Store), t: t, log: new(logtest.Buffer)}
	o.People["customer"] = d.Customer
	o.Start(slog.New(slog.DiscardHandler))
	o.faulty = &faultyDesk{Tickets: o.Desk}
	o.serve()
	return o, d
}

// promisedBy returns the date of a displayed deadline: due, passed or expected, or when the target was met late. It is
// zero if none is displayed or the target was met in time.
func promisedBy(shown *goquery.Selection) time.Time {
	at := shown.Find(".promise-date time")
	if shown.HasClass("promise-met") || shown.HasClass("promise-over") {
		return time.Time{}
	}
	if shown.HasClass("promise-met-late") || shown.HasClass("promise-paused") {
		at = shown.Find(".promise-left time")
	}
	instant, _ := time.Parse(time.RFC3339, at.First().AttrOr("datetime", ""))
	return instant
}

// inOrder fails the test if the page shows a later date for the first response than for the resolution. It reports
// whether the page shows both.
func (a response) inOrder(t *testing.T, path string) bool {
	t.Helper()
	dates := map[string]time.Time{}
	a.Find(".promise").Each(func(_ int, shown *goquery.Selection) {
		which := "resolution"
		if label := strings.ToLower(shown.Find(".promise-label").Text()); strings.Contains(label, "first response") {
			which = "first"
		}
		dates[which] = promisedBy(shown)
	})
	a.Find(".example").Each(func(_ int, shown *goquery.Selection) {
		named := shown.Find("time")
		dates["first"], _ = time.Parse(time.RFC3339, named.First().AttrOr("datetime", ""))
		dates["resolution"], _ = time.Parse(time.RFC3339, named.Last().AttrOr("datetime", ""))
	})
	if dates["first"].IsZero() || dates["resolution"].IsZero() {
		return false
	}
	if dates["first"].After(dates["resolution"]) {
		t.Errorf("%s promises a first response by %s and the resolution by %s", path, dates["first"], dates["resolution"])
	}
	return true
}

// TestDates_noFirstAnswerIsPromisedAfterTheResolution on any page or in any mail of a customer, under Holesalemart's
// policy, which counts it so: as usual, while the desk is closed, and while answers take longer.
func TestDates_noFirstAnswerIsPromisedAfterTheResolution(t *testing.T) {
	o, d := newFixtureWithDemo(t)
	b, visitor := o.signedIn("customer"), o.visitor()
	until := time.Now().Add(49 * time.Hour).Truncate(time.Second)
	for _, plan := range []desk.EmergencyPlan{
		{},
		{Kind: ticket.EmergencyDelayed, Notice: "Half of us are ill.", By: 30 * time.Hour},
		{Kind: ticket.EmergencyClosed, Notice: "The river is in our hall.", Until: until},
	} {
		if plan.Kind != "" {
			if _, err := app.DeclareEmergency(t.Context(), d, d.Supervisor, plan); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) // it begins with the next second
		}
		both, tracked := 0, 0
		walk := func(b *browser, path string) response {
			a := b.get(http.StatusOK, path)
			if a.inOrder(t, path) {
				both++
			}
			return a
		}
		walk(visitor, "/")
		walk(visitor, "/policy")
		walk(b, "/dashboard")
		for next := "/tickets"; next != ""; {
			list := walk(b, next)
			list.Find("a.ticket-link").Each(func(_ int, link *goquery.Selection) {
				at := link.AttrOr("href", "")
				n := ticket.Number(strings.TrimPrefix(at, "/tickets/"))
				if plan.Kind != "" {
					if _, err := d.Step(t.Context(), ticket.StepRequest{Number: n, CatchUp: true}); err != nil {
						t.Fatal(err)
					}
				}
				before := both
				walk(b, at)
				walk(b, at+"/receipt")
				if both > before && tracked < 8 { // as often as one may
					tracked++
					walk(b, "/track/"+string(n))
				}
			})
			next = list.Find("a[rel=next]").AttrOr("href", "")
		}
		if both < 10 {
			t.Errorf("with %q both dates stand on %d pages: the test proves little", plan.Notice, both)
		}
		mailsInOrder(t, o, d)
	}
}

// mailsInOrder makes the same comparison for every mail to a requester.
func mailsInOrder(t *testing.T, o *fixture, d *demotest.Desk) {
	t.Helper()
	both := 0
	views, _, err := o.Desk.List(t.Context(), desk.Filter{Viewer: d.Customer, Limit: 100})
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range views {
		for n := 1; ; n++ {
			l, _, err := app.NewMails(d.Store).LoadMail(t.Context(), v.Number, n)
			if err != nil {
				break
			}
			if l.Kind.ToStaff() {
				continue
			}
			for _, dates := range [][2]time.Time{
				{l.FirstResponseDue, l.ResolutionDue}, {l.FirstResponseLate, l.ResolutionLate}, {l.Expected.FirstResponse, l.Expected.Resolution},
			} {
				if dates[0].IsZero() || dates[1].IsZero() {
					continue
				}
				both++
				if dates[0].After(dates[1]) {
					t.Errorf("%s of %s promises a first response by %s and the resolution by %s", l.Kind, v.Number, dates[0], dates[1])
				}
			}
		}
	}
	if both == 0 {
		t.Error("no mail names both dates")
	}
}
