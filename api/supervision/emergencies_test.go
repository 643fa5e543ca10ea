package supervision_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// formValues returns what a browser would submit: hidden and typed values.
func formValues(form *goquery.Selection, change url.Values) url.Values {
	values := url.Values{}
	form.Find("input, textarea, select").Each(func(_ int, s *goquery.Selection) {
		name, kind := s.AttrOr("name", ""), s.AttrOr("type", "")
		_, checked := s.Attr("checked")
		switch {
		case name == "" || kind == "radio" && !checked:
		case goquery.NodeName(s) == "textarea":
			values.Set(name, strings.TrimPrefix(s.Text(), "\n"))
		case goquery.NodeName(s) == "select":
			values.Set(name, s.Find("option[selected]").Text())
		default:
			values.Set(name, s.AttrOr("value", ""))
		}
	})
	for name, value := range change {
		values[name] = value
	}
	return values
}

// post submits a form and checks the resulting page, if any.
func (b *browser) post(a sitetest.Response, form string, change url.Values) sitetest.Response {
	b.t.Helper()
	found := a.Find(form).First()
	if found.Length() != 1 {
		b.t.Fatalf("no form %s in %s", form, a.Find("main").Text())
	}
	answer := b.Ask(http.MethodPost, found.AttrOr("action", ""), formValues(found, change))
	if answer.Status != http.StatusSeeOther {
		pagetest.Check(b.t, form, answer.Document)
	}
	return answer
}

func (o *fixture) emergency() desk.Emergency {
	o.t.Helper()
	all, err := o.Store.Emergencies(o.t.Context())
	if err != nil || len(all) != 1 {
		o.t.Fatalf("there are %d emergencies, %v", len(all), err)
	}
	return all[0]
}

// berlin is the browser's time zone, from its cookie.
const berlin = "Europe/Berlin"

func TestEmergencies_lifecycle(t *testing.T) {
	o := openFixture(t)
	n := o.importTicket(0, nil)
	b := o.browser("sam")
	zone, err := time.LoadLocation(berlin)
	if err != nil {
		t.Fatal(err)
	}
	if a := b.page("/supervision/emergencies"); !strings.Contains(a.Find("main").Text(), "No emergencies yet") {
		t.Error("the empty list has no text")
	}
	starts, ends := time.Now().Add(30*time.Hour).In(zone).Truncate(time.Minute), time.Now().Add(50*time.Hour).In(zone).Truncate(time.Minute)
	const typed = "2006-01-02T15:04"
	form := b.get("/supervision/emergencies/new", "Cookie", "tz="+berlin)
	if !strings.Contains(form.Find("#zone-hint").Text(), berlin) {
		t.Errorf("the time zone on the form is %q", form.Find("#zone-hint").Text())
	}
	dry := b.post(form, "form.emergency-form", url.Values{
		"kind": {"closed"}, "notice": {"A strike.\r\n\r\n<b>Sorry.</b>"}, "start": {"at"}, "starts_at": {starts.Format(typed)}, "ends_at": {ends.Format(typed)},
	})
	text := dry.Find("main").Text()
	if dry.Status != 200 || dry.Find("#sum-open").Text() != "1" || dry.Find("#moves-resolution td").First().Text() != "1" || !strings.Contains(text, string(n)) ||
		!strings.Contains(dry.Find(".preview").Text(), "<b>Sorry.</b>") || !strings.Contains(text, "one email") {
		t.Fatalf("%d, the dry run says %s", dry.Status, text)
	}
	if reach := dry.Find("section[aria-labelledby=reach]").Text(); !strings.Contains(reach, "1 person will receive one email each") || !strings.Contains(reach, "Updating 1 ticket takes") {
		t.Errorf("the scope is %q", reach)
	}
	if all, err := o.Store.Emergencies(t.Context()); err != nil || len(all) != 0 {
		t.Fatalf("a dry run declared %d, %v", len(all), err)
	}
	back := b.Ask(http.MethodPost, "/supervision/emergencies/dry-run", formValues(dry.Find(".confirm form").Eq(1), url.Values{"back": {"yes"}}))
	if back.Find("#starts_at").AttrOr("value", "") != starts.Format(typed) || back.Find("#kind-closed[checked]").Length() != 1 || back.Find(".error").Length() != 0 {
		t.Error("the typed values are lost")
	}
	o.importTicket(0, nil) // the numbers change meanwhile
	for range 2 {          // the second is a double click
		if a := b.post(dry, ".confirm form", nil); a.Status != http.StatusSeeOther {
			t.Fatalf("declared: %d %s", a.Status, a.Find("main").Text())
		}
	}
	e := o.emergency()
	path := "/supervision/emergencies/" + string(e.ID)
	if !e.From.Equal(starts) || !e.Until.Equal(ends) || e.Notice != "A strike.\n\n<b>Sorry.</b>" || e.By.Name != "Sam Supervisor" || o.wakeCounter.woken.Load() == 0 {
		t.Errorf("declared %+v", e)
	}
	if strip := b.page("/supervision").Find(".strip").Text(); !strings.Contains(strip, "Planned") || !strings.Contains(strip, "A strike.") {
		t.Errorf("the overview says %q", strip)
	}

	page := b.page(path)
	later := ends.Add(24 * time.Hour)
	dry = b.post(page, "form.emergency-form", url.Values{"ends_at": {later.In(time.UTC).Format(typed)}})
	if dry.Status != 200 || dry.Find("#moves-resolution td").First().Text() != "2" || !strings.Contains(dry.Find("#plan").Parent().Text(), "instead of") {
		t.Fatalf("%d, extended it says %s", dry.Status, dry.Find("main").Text())
	}
	if a := b.post(dry, ".confirm form", nil); a.Status != http.StatusSeeOther || !o.emergency().Until.Equal(later) || o.emergency().Notice != e.Notice || !o.emergency().From.Equal(e.From) {
		t.Errorf("extended: %d %+v", a.Status, o.emergency())
	}
	dry = b.post(b.page(path), `form[action$="dry-run"]`, nil)
	if !strings.Contains(dry.Find("h1").Text(), "Cancel") || dry.Find("#moves-resolution td").Eq(1).Text() != "2" {
		t.Errorf("cancelled it would say %s", dry.Find("main").Text())
	}
	if a := b.post(dry, ".confirm form", nil); a.Status != http.StatusSeeOther || o.emergency().Stage(time.Now()) != desk.StageCancelled {
		t.Errorf("cancelled: %d %+v", a.Status, o.emergency())
	}
	if again := b.post(dry, ".confirm form", nil); again.Status != http.StatusConflict || !strings.Contains(again.Find(".problem").Text(), "was cancelled") {
		t.Errorf("cancelled twice: %d %s", again.Status, again.Find("main").Text())
	}
	page = b.page(path)
	if record := page.Find(".record > li"); record.Length() != 3 || page.Find("form.emergency-form").Length() != 0 || b.page("/supervision").Find(".strip").Length() != 0 {
		t.Errorf("recorded %s", record.Text())
	}
}

// Concurrent changes of different fields do not revert each other.
func TestEmergencies_concurrentChanges(t *testing.T) {
	o := openFixture(t)
	e, err := app.DeclareEmergency(t.Context(), o.Store, o.People["ada"], desk.EmergencyPlan{Kind: ticket.EmergencyDelayed, Notice: "Ill.", By: 24 * time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	path := "/supervision/emergencies/" + string(e.ID)
	sam, ada := o.browser("sam"), o.browser("ada")
	page := sam.page(path)
	b := ada.post(ada.page(path), "form.emergency-form", url.Values{"notice": {"Many are ill."}, "ends_at": {time.Now().UTC().Add(240 * time.Hour).Format("2006-01-02T15:04")}})
	ada.post(b, ".confirm form", nil)
	a := sam.post(page, "form.emergency-form", url.Values{"delay": {"2"}, "delay_unit": {"days"}})
	if a := sam.post(a, ".confirm form", nil); a.Status != http.StatusSeeOther {
		t.Fatalf("%d %s", a.Status, a.Find("main").Text())
	}
	if e := o.emergency(); e.Notice != "Many are ill." || e.Until.IsZero() || e.Delay() != 48*time.Hour {
		t.Errorf("in the end it is %q, until %s and %s", e.Notice, e.Until, e.Delay())
	}
	end := sam.post(sam.page(path), "form:has(button.danger)", nil)
	sam.post(end, ".confirm form", nil)
	if said := sam.page(path).Find(".flash").Text(); !strings.Contains(said, "has been lifted") || strings.Contains(said, "Clocks are running again") {
		t.Errorf("lifted, a delay says %q", said)
	}
}

func TestEmergencies_showErrors(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	zone, err := time.LoadLocation(berlin)
	if err != nil {
		t.Fatal(err)
	}
	var skipped string // clocks are put forward over it
	for day := time.Now().In(zone); ; day = day.AddDate(0, 0, 1) {
		skipped = day.Format("2006-01-02T") + "02:30"
		if at, _ := time.ParseInLocation("2006-01-02T15:04", skipped, zone); at.Hour() != 2 {
			break
		}
	}
	form := b.get("/supervision/emergencies/new", "Cookie", "tz="+berlin)
	for field, change := range map[string]url.Values{
		"kind":          {"kind": {"shut"}, "notice": {"x"}},
		"notice":        {"kind": {"closed"}, "notice": {strings.Repeat("x", 1001)}},
		"starts_at":     {"kind": {"closed"}, "notice": {"x"}, "start": {"at"}, "starts_at": {"2020-01-01T00:00"}},
		"ends_at":       {"kind": {"closed"}, "notice": {"x"}, "ends_at": {"9999-12-31T23:59"}},
		"ends_at ":      {"kind": {"closed"}, "notice": {"x"}, "ends_at": {skipped}},
		"delay_seconds": {"kind": {"delayed"}, "notice": {"x"}, "delay": {"99999999999999999999"}},
	} {
		field = strings.TrimSpace(field)
		for _, action := range []string{"/supervision/emergencies/dry-run", "/supervision/emergencies"} {
			a := b.Ask(http.MethodPost, action, formValues(form.Find("form.emergency-form"), change))
			if a.Status != http.StatusUnprocessableEntity || a.Find("#"+field+"-error").Length() != 1 || a.Find(".error").Length() != 1 {
				t.Errorf("%s of %v: %d %s", action, change, a.Status, a.Find(".error").Text())
			}
			pagetest.Check(t, field, a.Document)
			if got := strings.TrimPrefix(a.Find("#notice").Text(), "\n"); got != change.Get("notice") {
				t.Errorf("%s: the notice is lost: %q", field, got)
			}
		}
	}
	for _, path := range []string{"x", "E-0000000000", "E-%27"} {
		if a := b.get("/supervision/emergencies/" + path); a.Status != http.StatusNotFound {
			t.Errorf("%s: %d", path, a.Status)
		}
	}
	if all, err := o.Store.Emergencies(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("%d were declared, %v", len(all), err)
	}
}

// A delayed fan-out lists the late tickets and the mails that are held for them.
func TestEmergency_listsLateTickets(t *testing.T) {
	o := openFixture(t)
	n := o.importTicket(1, nil)
	e, err := app.DeclareEmergency(t.Context(), o.Store, desk.Person{}, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "Closed."})
	if err != nil {
		t.Fatal(err)
	}
	o.SQL(`SELECT pg_sleep(greatest(extract(epoch FROM starts_at - clock_timestamp()), 0) + 0.01) FROM emergencies`)
	b := o.browser("sam")
	path := "/supervision/emergencies/" + string(e.ID)
	reach := func(want string) {
		t.Helper()
		if said := b.page(path).Find("#reach").Text(); !strings.Contains(said, want) {
			t.Errorf("it says %q, want %q", said, want)
		}
	}
	reach("Open tickets are about to be updated.") // the fan-out has not started
	outlook, err := o.Store.Outlook(t.Context())
	if err == nil {
		_, err = o.Store.VerifyFanout(t.Context(), outlook.Reached)
	}
	reach("Tickets are being updated")
	if err == nil {
		_, err = app.NewAnnouncements(o.Store).Announce(t.Context(), ticket.AnnounceRequest{CheckedAt: outlook.At, Revision: outlook.Revision, Partial: true})
	}
	if err != nil {
		t.Fatal(err)
	}
	if early := b.page(path).Find("#reach").Text(); strings.Contains(early, string(n)) || !strings.Contains(early, "1 held until") {
		t.Errorf("at first: %s", early)
	}
	o.SQL(`UPDATE fanouts SET began_at = began_at - interval '3 minutes'`)
	late := b.page(path).Find("#reach")
	if link := late.Find(`a[href="/desk/tickets/` + string(n) + `"]`); link.Length() != 1 || !strings.Contains(late.Text(), "Delayed:") {
		t.Errorf("after three minutes: %s", late.Text())
	}

	if _, err := app.EndEmergency(t.Context(), o.Store, desk.Person{}, e.ID); err != nil {
		t.Fatal(err)
	}
	o.SQL(`SELECT pg_sleep(greatest(extract(epoch FROM ends_at - clock_timestamp()), 0) + 0.01) FROM emergencies`)
	reach("Open tickets are about to be updated.") // for the end, not for the start
	other, err := app.DeclareEmergency(t.Context(), o.Store, desk.Person{}, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: "Again."})
	if err != nil {
		t.Fatal(err)
	}
	o.SQL(`SELECT pg_sleep(greatest(extract(epoch FROM starts_at - clock_timestamp()), 0) + 0.01) FROM emergencies WHERE id = $1`, other.ID)
	if outlook, err = o.Store.Outlook(t.Context()); err == nil {
		_, err = o.Store.VerifyFanout(t.Context(), outlook.Reached)
	}
	if err != nil {
		t.Fatal(err)
	}
	reach("Their last update was for another emergency.")
	path = "/supervision/emergencies/" + string(other.ID)
	reach("Tickets are being updated")
}
