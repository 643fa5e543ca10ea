package supervision_test

import (
	"bytes"
	"mime/multipart"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// threeDays returns Holesalemart's policy with a first response target of three business days.
func threeDays() string {
	return strings.Replace(string(policy.Holesalemart()), "\n  first_response: {target: 72h, counts: business_hours,", "\n  first_response: {target: 3d, counts: business_days,", 1)
}

func (b *browser) submit(path string, form url.Values, headers ...string) (int, string) {
	b.t.Helper()
	a := b.Ask(http.MethodPost, path, form, headers...)
	return a.Status, a.Text()
}

func TestPolicies_editCheckPublish(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	b.page("/supervision/policies")
	if text := b.page("/supervision/policies/new").Find("#findings").Text(); !strings.Contains(text, "No changes.") || !strings.Contains(text, "Friday 16:00") {
		t.Errorf("the editor shows %s", text)
	}
	if scripts := b.page("/supervision/policies/new").Find(`script[src*="htmx"]`); scripts.Length() != 1 {
		t.Error("the document is not checked while typing")
	}
	status, text := b.submit("/supervision/policies/new", url.Values{"document": {"name: x\nnonsense: 1\n"}, "act": {"check"}})
	if status != http.StatusOK || !strings.Contains(text, "Line 2") || !strings.Contains(text, "nonsense") {
		t.Errorf("a bad document: %d %s", status, text)
	}
	status, text = b.submit("/supervision/policies/new", url.Values{"document": {threeDays()}}, "HX-Request", "true")
	if status != http.StatusOK || !strings.Contains(text, "First response: 72 hours during opening hours → 3 business days") || strings.Contains(text, "Publish") {
		t.Errorf("while typing: %d %s", status, text)
	}
	form := url.Values{"document": {strings.ReplaceAll(threeDays(), "\n", "\r\n")}, "act": {"publish"}, "reason": {""}, "idempotency_key": {"k1"}}
	if status, text = b.submit("/supervision/policies/new", form); status != http.StatusUnprocessableEntity || !strings.Contains(text, "reason must say why") || !strings.Contains(text, "counts: business_days") {
		t.Errorf("without a reason: %d", status)
	}
	form.Set("reason", "Days, not <b>hours</b>")
	for range 2 { // sent twice, it is published once
		if status, text = b.submit("/supervision/policies/new", form); status != http.StatusSeeOther {
			t.Fatalf("publishing: %d %s", status, text)
		}
	}
	records, err := o.Store.PolicyVersionRecords(t.Context())
	if err != nil || len(records) != 2 || records[0].Publisher != "Sam Supervisor" || string(records[0].Document) != threeDays() {
		t.Fatalf("published %d versions, %v", len(records), err)
	}
	published := b.page("/supervision/policies")
	if said := published.Find("body").Text(); !strings.Contains(said, "Version 2 has been published. It takes effect on ") || strings.Contains(said, "<time") {
		t.Errorf("after publishing, the page says %s", said)
	}
	list := published.Find("#version-2").Text()
	for _, want := range []string{"in force", "by Sam Supervisor", "Days, not <b>hours</b>", "3 business days"} {
		if !strings.Contains(list, want) {
			t.Errorf("the list lacks %q: %s", want, list)
		}
	}
}

func TestPolicies_importHolidays(t *testing.T) {
	o := openFixture(t)
	b := o.browser("sam")
	upload := func(calendar string) (int, string) {
		var body bytes.Buffer
		w := multipart.NewWriter(&body)
		for name, value := range map[string]string{"document": string(policy.Holesalemart()), "reason": "kept"} {
			if err := w.WriteField(name, value); err != nil {
				t.Fatal(err)
			}
		}
		file, err := w.CreateFormFile("calendar", "h.ics")
		if err == nil {
			_, err = file.Write([]byte(calendar))
		}
		if err != nil || w.Close() != nil {
			t.Fatal(err)
		}
		a := b.Post("/supervision/policies/new/holidays", w.FormDataContentType(), &body)
		return a.Status, a.Document.Text()
	}
	status, text := upload("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//t//EN\r\nBEGIN:VEVENT\r\nUID:1\r\nDTSTAMP:20200101T000000Z\r\n" +
		"DTSTART;VALUE=DATE:20201225\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:Christmas <Day>\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n")
	for _, want := range []string{`name: "Christmas <Day>"`, "Holidays added", "Holiday added:", "kept"} {
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("%d, no %q in %s", status, want, text)
		}
	}
	if status, text = upload("<html>"); status != http.StatusUnprocessableEntity || !strings.Contains(text, "not an iCalendar file") || !strings.Contains(text, "first_response") {
		t.Errorf("no calendar: %d %s", status, text)
	}
}

func TestPolicies_moveOpenTicketsAfterADryRun(t *testing.T) {
	o := openFixture(t)
	first, second := o.importTicket(1, nil), o.importTicket(2, nil)
	if _, _, err := app.PublishPolicy(t.Context(), o.Store, []byte(threeDays()), "a test", "days"); err != nil {
		t.Fatal(err)
	}
	b := o.browser("sam")
	b.page("/supervision/policies/2")
	status, text := b.submit("/supervision/policies/2/adoption", url.Values{"from": {"1"}})
	for _, want := range []string{"2 tickets would be moved", "2 targets due earlier", string(first), string(second), "Move 2 tickets to version 2"} {
		if status != http.StatusOK || !strings.Contains(text, want) {
			t.Errorf("the dry run: %d, no %q in %s", status, want, text)
		}
	}
	status, text = b.submit("/supervision/policies/2/adoption", url.Values{"tickets": {string(first) + " HM-0000000000"}, "act": {"move"}, "idempotency_key": {"k"}})
	if status != http.StatusOK || !strings.Contains(text, "1 ticket is being moved") || !strings.Contains(text, "there is no such ticket") || !strings.Contains(text, "pending") {
		t.Errorf("the move: %d %s", status, text)
	}
	if status, text = b.submit("/supervision/policies/2/adoption", url.Values{"tickets": {"nonsense"}}); status != http.StatusUnprocessableEntity || !strings.Contains(text, "is not a ticket number") {
		t.Errorf("no number: %d %s", status, text)
	}
	if a := b.get("/supervision/policies/99"); a.Status != http.StatusNotFound {
		t.Errorf("no version: %d", a.Status)
	}
}

// The progress of a move is shown live, and after a reload without scripts.
func TestPolicies_showTheProgressOfAMove(t *testing.T) {
	browsertest.Require(t)
	o := openFixture(t)
	n := o.importTicket(1, nil)
	if _, _, err := app.PublishPolicy(t.Context(), o.Store, []byte(threeDays()), "a test", "days"); err != nil {
		t.Fatal(err)
	}
	p := browsertest.Open(t, o.server.URL, browsertest.Look{})
	p.Goto("/let-in/sam")
	p.Goto("/supervision/policies/2")
	p.Fill("Or these tickets", string(n))
	p.Click("Dry run")
	p.Click("Move 1 ticket to version 2")
	p.SeeOn("#progress", "0 moved, 0 refused, 1 pending.")
	v, err := o.Store.Track(t.Context(), n)
	if err == nil {
		_, err = o.Step(t.Context(), ticket.StepRequest{Number: n, Command: v.LastCommand})
	}
	if err != nil {
		t.Fatal(err)
	}
	o.feed.tell(desk.Change{Kind: desk.ChangeAccepted})
	p.SeeOn("#progress", "1 moved, 0 refused, 0 pending.")
	p.SeeOn("#audit", "moved from version 1")
	if said := o.browser("sam").page("/supervision/policies/2").Find("#progress").Text(); !strings.Contains(said, "1 moved") {
		t.Errorf("after a reload: %s", said)
	}
}
