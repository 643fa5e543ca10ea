package panel_test

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

// TestEmergency_isShownOnTheTicket with what follows, its notice in short and the way to all of it.
func TestEmergency_isShownOnTheTicket(t *testing.T) {
	o := newFixture(t)
	until := time.Now().Add(48 * time.Hour).Truncate(time.Second)
	e, err := app.DeclareEmergency(t.Context(), o, o.People["sam"], desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "The river is in our hall.", Until: until})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.DeclareEmergency(t.Context(), o, o.People["sam"], desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, Notice: "Half of us are ill.", By: 24 * time.Hour}); err != nil {
		t.Fatal(err)
	}
	o.SQL(`UPDATE emergencies SET starts_at = starts_at - interval '1 hour'`)
	o.SQL(`UPDATE emergency_delays SET starts_at = starts_at - interval '1 hour'`)
	n := o.submit("clara", "Where is it?", "Where?")
	o.checkAccessibility("/desk/tickets/" + string(n))
	page := func() response { return o.browser("anna").get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK) }

	shown := page()
	for where, notice := range map[string]string{
		"#conversation .cause": "The river is in our hall.", "#why-resolution .cause": "Half of us are ill.", "#why-first_response .cause": "Half of us are ill.",
	} {
		if got := shown.Line(where); !strings.Contains(got, notice) {
			t.Errorf("%s says %q", where, got)
		}
		if to, _ := shown.Find(where + " a").Attr("href"); to != "/notice" {
			t.Errorf("%s leads to %q", where, to)
		}
	}
	due := o.ticket(n).Expected.Resolution
	if got, want := shown.Line(".clock-ahead"), "If it ends as planned, due "+due.UTC().Format("Mon 2 Jan 2006, 15:04 MST"); due.IsZero() || !strings.Contains(got, want) {
		t.Errorf("it says %q, and lacks %q", got, want)
	}

	none := time.Time{}
	if _, err := app.ChangeEmergency(t.Context(), o, o.People["sam"], e.ID, desk.EmergencyChange{Until: &none}); err != nil {
		t.Fatal(err)
	}
	if got := page().Line(".clock-ahead"); !strings.Contains(got, "A new deadline follows when it ends") {
		t.Errorf("without an end it says %q", got)
	}
}

func TestEmergency_byHandIsSaidToBeOfOneTicket(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "Where is it?", "Where?")
	if _, err := o.Step(t.Context(), ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "a-signal", Verb: ticket.VerbEmergencyPause, Emergency: "van-broken"}}}); err != nil {
		t.Fatal(err)
	}
	shown := o.browser("anna").get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK)
	if got := shown.Line("#conversation .cause"); got != "For this ticket only." || shown.Find(".cause a").Length() != 0 {
		t.Errorf("it says %q", got)
	}
}

// checkAccessibility runs axe-core on a page with a notice, light and dark, wide and narrow.
func (o *fixture) checkAccessibility(path string) {
	o.t.Helper()
	p, _ := o.window("anna")
	for _, look := range []browsertest.Look{{Width: 1440}, {Width: 1440, Dark: true}, {Width: 360, Height: 740}, {Width: 360, Height: 740, Dark: true}} {
		p.Look(look)
		p.Goto(path)
		p.ClickOn("#why-resolution summary")
		for _, wrong := range append(p.Accessibility(), p.Overflow()...) {
			o.t.Errorf("%+v: %s", look, wrong)
		}
	}
}
