package portal_test

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergency declares an emergency as if that had been some time ago.
func (o *fixture) emergency(p desk.EmergencyPlan, ago time.Duration) desk.Emergency {
	o.t.Helper()
	if _, hired := o.People["sven"]; !hired {
		o.Employ("sven", ticket.RoleSupervisor, "Sven Supervisor")
	}
	e, err := app.DeclareEmergency(o.t.Context(), o, o.People["sven"], p)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, sql := range []string{
		`UPDATE emergencies SET starts_at = starts_at - $2::interval WHERE id = $1`,
		`UPDATE emergency_delays SET starts_at = starts_at - $2::interval WHERE emergency = $1`,
	} {
		o.SQL(sql, e.ID, ago)
	}
	return e
}

func TestNotice_showsAllOfItToAnyVisitor(t *testing.T) {
	o := newFixture(t)
	o.emergency(desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, By: 48 * time.Hour, Notice: "Half of us are ill.\n\nWe are sorry <b>indeed</b>."}, time.Hour)
	a := o.visitor().wantStatus(200, o.visitor().ask("GET", "/notice", nil), "the notices")
	main := a.Find("main")
	for _, want := range []string{"Our responses take longer than usual until further notice", "Half of us are ill.", "<b>indeed</b>", "extended by 48 hours", "Since "} {
		if !strings.Contains(main.Text(), want) {
			t.Errorf("lacks %q: %s", want, main.Text())
		}
	}
	if main.Find("b").Length() != 0 {
		t.Error("what was typed became markup")
	}
}

func TestNotice_saysThatThereIsNone(t *testing.T) {
	o := newFixture(t)
	a := o.visitor().wantStatus(200, o.visitor().ask("GET", "/notice", nil), "the notices")
	if got := a.Line("main"); !strings.Contains(got, "No notices at the moment") || a.Find(".notices").Length() != 0 {
		t.Errorf("says %q", got)
	}
	if got := o.visitor().ask("GET", "/api/v1/notice", nil); got.Status != 200 || strings.TrimSpace(got.Body) != `{"notices":[]}` {
		t.Errorf("JSON %d %s", got.Status, got.Body)
	}
}

func TestNotice_remembersWhatEndedNotLongAgo(t *testing.T) {
	o := newFixture(t)
	e := o.emergency(desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "The river is in our hall."}, time.Hour)
	if _, err := app.EndEmergency(t.Context(), o, desk.Person{}, e.ID); err != nil {
		t.Fatal(err)
	}
	o.SQL(`UPDATE emergencies SET ends_at = ends_at - interval '30 minutes'`)
	main := o.visitor().ask("GET", "/notice", nil).Find("main")
	if got := main.Text(); !strings.Contains(got, "Our support was closed from ") || !strings.Contains(got, "The river is in our hall.") || !strings.Contains(got, "No notices at the moment") {
		t.Errorf("says %q", got)
	}
}

func TestNotice_isWithWhatANumberShows(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Where is it?")
	e := o.emergency(desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "The river is in our hall."}, time.Hour)
	a := o.visitor().ask("GET", "/track/"+string(n), nil)
	if !strings.Contains(a.Find(".notices").Text(), "The river is in our hall.") {
		t.Error("not on the page")
	}
	var tracked struct {
		Notices []struct {
			Emergency ticket.EmergencyID
			Kind      ticket.EmergencyKind
			InForce   bool `json:"in_force"`
			Text      string
		}
	}
	a = o.visitor().ask("GET", "/api/v1/track/"+string(n), nil)
	if err := json.Unmarshal([]byte(a.Body), &tracked); err != nil || len(tracked.Notices) != 1 || tracked.Notices[0].Emergency != e.ID ||
		!tracked.Notices[0].InForce || tracked.Notices[0].Kind != ticket.EmergencyClosed || tracked.Notices[0].Text != "The river is in our hall." {
		t.Errorf("tracked %s: %v", a.Body, err)
	}
}

func TestTicket_leadsToWhatMovedItsDates(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Where is it?")
	if a := o.signedIn("clara").ask("GET", "/tickets/"+string(n), nil); a.Find(`#ticket-side a[href="/notice"]`).Length() != 0 {
		t.Error("it speaks of an emergency that there never was")
	}
	o.SQL(`UPDATE tickets SET submitted_at = submitted_at - interval '2 hours'`)
	o.emergency(desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "The river is in our hall."}, 0)
	for shown := false; !shown; {
		if _, err := o.Step(t.Context(), ticket.StepRequest{Number: n, CatchUp: true}); err != nil {
			t.Fatal(err)
		}
		a := o.signedIn("clara").ask("GET", "/tickets/"+string(n), nil)
		shown = a.Find(`#ticket-side a[href="/notice"]`).Length() > 0 && strings.Contains(a.Line("#ticket-side"), "We are closed due to an emergency")
	}
}
