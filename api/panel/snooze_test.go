package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestSnooze_byOneOfTheInstantsOrAnotherInTheViewersZone(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	path := "/desk/tickets/" + string(n)
	first := b.get(path)
	pagetest.Check(t, "an open ticket", first.Document)
	_, inForce, _, err := o.Desk.PolicyInForce(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	zone := inForce.Zone
	form := first.Find("form[action*='/snooze']")
	if got := form.Find("option").Length(); got != len(panel.SnoozeEnds(time.Now().In(zone)))+2 || first.Find("form[action*='/waking']").Length() != 0 {
		t.Errorf("a ticket that is awake offers %d instants, or to wake it", got)
	}
	tomorrow, _ := form.Find("option:contains('tomorrow')").Attr("value")
	b.post(path+"/snooze", url.Values{"until": {tomorrow}, "until-typed": {""}}, byScript...).wantStatus(http.StatusOK)
	if got := o.ticket(n).Ticket.SnoozedUntil.Format(time.RFC3339); got != tomorrow {
		t.Errorf("it sleeps until %s, and %s was chosen", got, tomorrow)
	}
	typed := time.Now().AddDate(0, 0, 3).Format("2006-01-02") + "T11:30"
	b.post(path+"/snooze", url.Values{"until": {tomorrow}, "until-typed": {typed}}, byScript...) // typed before, then chosen otherwise
	if got := o.ticket(n).Ticket.SnoozedUntil.Format(time.RFC3339); got != tomorrow {
		t.Errorf("it sleeps until %s, and %s was chosen in the end", got, tomorrow)
	}
	b.post(path+"/snooze", url.Values{"until": {""}, "until-typed": {typed}}).wantStatus(http.StatusUnprocessableEntity) // likewise
	b.post(path+"/snooze", url.Values{"until": {"other"}, "until-typed": {typed}}, byScript...).wantStatus(http.StatusOK)
	if got := o.ticket(n).Ticket.SnoozedUntil.In(zone).Format("15:04"); got != "11:30" {
		t.Errorf("it sleeps until %s in the desk's zone", got)
	}
	asleep := b.get(path)
	if !strings.Contains(asleep.Line(".ticket-facts"), "snoozed until") || !strings.Contains(asleep.Line("#ticket"), "Anna Agent snoozed the ticket until") {
		t.Errorf("it does not say that it sleeps: %s", asleep.Line("#ticket"))
	}
	if list := b.get("/desk?queue=snoozed"); list.Find("#rows .item").Length() != 1 {
		t.Errorf("the queue of snoozed tickets holds %d", list.Find("#rows .item").Length())
	}
	if list := b.get("/desk?queue=unassigned"); list.Find("#rows .item").Length() != 0 {
		t.Error("a sleeping ticket is in the queue of the unassigned")
	}
	b.post(path+"/waking", nil, byScript...).wantStatus(http.StatusOK)
	if !o.ticket(n).Ticket.SnoozedUntil.IsZero() || !strings.Contains(b.get(path).Line("#ticket"), "The ticket woke up") {
		t.Error("it sleeps on, or does not say that it woke")
	}
}

func TestSnooze_toNoInstantSaysWhatIsWrong(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	for typed, status := range map[string]int{"": http.StatusUnprocessableEntity, "soon": http.StatusUnprocessableEntity, "2001-01-01T09:00": http.StatusConflict} {
		a := b.post("/desk/tickets/"+string(n)+"/snooze", url.Values{"until": {"other"}, "until-typed": {typed}}).wantStatus(status)
		if a.Line("#ticket .problem") == "" {
			t.Errorf("%q: it says nothing", typed)
		}
	}
}

// TestSnooze_typedInstantIsBackAfterSigningIn again, in the field in which it was typed.
func TestSnooze_typedInstantIsBackAfterSigningIn(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	path := "/desk/tickets/" + string(n)
	form := url.Values{"until": {"other"}, "until-typed": {"2031-03-04T11:30"}}
	b.get(path).Find("form[action*='/snooze'] input[type=hidden]").Each(func(_ int, hidden *goquery.Selection) {
		form.Set(hidden.AttrOr("name", ""), hidden.AttrOr("value", ""))
	})
	o.SQL("DELETE FROM sessions")
	b.post(path+"/snooze", form).wantStatus(http.StatusSeeOther)
	b.SignIn("anna")
	back := b.get(path).Find("form[action*='/snooze']")
	if got := back.Find("input.other").AttrOr("value", ""); got != "2031-03-04T11:30" {
		t.Errorf("the field holds %q", got)
	}
	if got := back.Find("option[selected]").Last().Text(); got != "another time…" {
		t.Errorf("%q is chosen", got)
	}
}

// TestSnooze_isNothingThatARequesterSees of their ticket.
func TestSnooze_isNothingThatARequesterSees(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbSnooze, Until: time.Now().Add(time.Hour)})
	entries, err := o.Desk.Timeline(t.Context(), o.People["clara"], n)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == ticket.EventSnoozed {
			t.Error("their timeline has it")
		}
	}
}

func TestSnooze_offersEachInstantOnce(t *testing.T) {
	for day, want := range map[string]string{
		"2026-11-28": "in 4 hours, tomorrow, next week, in a week, in a month",
		"2026-11-29": "in 4 hours, tomorrow, in a week, in a month", // a Sunday: next week begins tomorrow
		"2026-11-30": "in 4 hours, tomorrow, next week, in a month", // a Monday: next week begins in a week
	} {
		now, err := time.Parse(time.DateOnly, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.Join(panel.SnoozeEnds(now), ", "); got != want {
			t.Errorf("on %s it offers %q, want %q", day, got, want)
		}
	}
}
