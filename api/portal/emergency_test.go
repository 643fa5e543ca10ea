package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestEmergency_isShownWhereverATicketIs(t *testing.T) {
	o := newFixture(t)
	e := o.emergency(desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "The river is in our hall.", Until: time.Now().Add(48 * time.Hour).Truncate(time.Second)}, time.Hour)
	o.emergency(desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, Notice: "Half of us are ill.", By: 24 * time.Hour}, time.Hour)
	n := o.submitted("clara", "Where is it?")
	clara := o.signedIn("clara")
	at := "/tickets/" + string(n)
	a := clara.get(http.StatusOK, at)
	a.wantTexts(t, ".timeline .warn", "We are closed due to an emergency", "The river is in our hall.")
	a.wantTexts(t, ".why .cause", "Half of us are ill.")
	for _, where := range []string{".timeline .cause", ".why .cause"} {
		if to, _ := a.Find(where + " a").Attr("href"); to != "/notice" {
			t.Errorf("%s leads to %q", where, to)
		}
	}
	expected := o.expectedDates(n)
	if expected[0].IsZero() || expected[1].IsZero() {
		t.Fatalf("it is expected by %v", expected)
	}
	a.wantTexts(t, ".turn", "If it ends as planned,", formatInstant(expected[1]))
	for _, path := range []string{at, at + "/receipt"} {
		clara.get(http.StatusOK, path).wantTexts(t, "main", "Paused until "+formatInstant(e.Until), "New date if it ends as planned: "+formatInstant(expected[1]))
	}
	for _, path := range []string{at, at + "/receipt", "/tickets", "/dashboard", "/track/" + string(n)} {
		if main := clara.get(http.StatusOK, path).Line("main"); strings.Contains(main, formatInstant(expected[0])) {
			t.Errorf("%s names a first response after the resolution: %q", path, main)
		}
	}
	o.visitor().get(http.StatusOK, "/").wantTexts(t, ".example", "If you contact us now and we reopen as planned, you’ll get a first response by", "resolve your request by the same time.")
	o.checkAccessibility(at)
	clara.get(http.StatusOK, "/tickets").wantTexts(t, ".ticket-list", "If it ends as planned,", formatInstant(expected[1]))

	none := time.Time{}
	if _, err := app.ChangeEmergency(t.Context(), o, desk.Person{}, e.ID, desk.EmergencyChange{Until: &none}); err != nil {
		t.Fatal(err)
	}
	clara.get(http.StatusOK, "/tickets").wantTexts(t, ".ticket-list", "gets new dates when it ends")
	for _, path := range []string{"/", "/policy"} {
		a := o.visitor().get(http.StatusOK, path)
		a.wantTexts(t, ".example", "We are closed until further notice, so we can’t give dates")
		if a.Find(".example time").Length() != 0 {
			t.Errorf("%s names a date all the same", path)
		}
	}
	for _, path := range []string{at, at + "/receipt"} {
		if got := strings.Count(clara.get(http.StatusOK, path).Line("main"), "You’ll get a new date when it ends."); got != 2 {
			t.Errorf("%s says %d times that a date follows", path, got)
		}
	}
}

func TestEmergency_byHandIsSaidToBeOfOneTicket(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Where is it?")
	if _, err := o.Step(t.Context(), ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "a-signal", Verb: ticket.VerbEmergencyPause, Emergency: "van-broken"}}}); err != nil {
		t.Fatal(err)
	}
	a := o.signedIn("clara").get(http.StatusOK, "/tickets/"+string(n))
	a.wantTexts(t, ".timeline .warn", "An emergency: our response times are paused.", "For this ticket only.")
	if a.Find(".timeline .cause a").Length() != 0 {
		t.Error("it leads to a notice that there is not")
	}
}

// expectedDates returns the expected first response and resolution of a ticket.
func (o *fixture) expectedDates(n ticket.Number) [2]time.Time {
	o.t.Helper()
	v, err := o.Desk.Ticket(o.t.Context(), o.People["clara"], n)
	if err != nil {
		o.t.Fatal(err)
	}
	return [2]time.Time{v.Expected.FirstResponse, v.Expected.Resolution}
}

// formatInstant formats an instant as pages do if it is not today.
func formatInstant(at time.Time) string { return at.UTC().Format("Mon 2 Jan 2006, 15:04 MST") }

// checkAccessibility runs axe-core on a page with a notice, light and dark, wide and narrow.
func (o *fixture) checkAccessibility(path string) {
	o.t.Helper()
	browsertest.Require(o.t)
	p := browsertest.Open(o.t, o.server.URL, browsertest.Look{})
	p.Goto("/let-in/clara")
	for _, look := range []browsertest.Look{{Width: 1440}, {Width: 1440, Dark: true}, {Width: 360, Height: 740}, {Width: 360, Height: 740, Dark: true}} {
		p.Look(look)
		p.Goto(path)
		p.ClickOn(".why summary")
		for _, wrong := range append(p.Accessibility(), p.Overflow()...) {
			o.t.Errorf("%+v: %s", look, wrong)
		}
	}
}
