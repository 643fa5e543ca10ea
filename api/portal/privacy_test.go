package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/portal"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestPrivacy_anotherCustomersTicketIsNotThere, by any route that names a ticket, and by none says so in other words
// than for a number that was never drawn.
func TestPrivacy_anotherCustomersTicketIsNotThere(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "canary")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "canary"})
	carl, visitor := o.signedIn("carl"), o.visitor()
	pages := portal.New(o.Desk, o.Store, app.NewSuggestions(o.Store), o.Store, o.Files, noFeed{})
	walked := 0
	for _, r := range pages.Area().Routes {
		if !strings.Contains(r.Path, "/tickets/:number") {
			continue
		}
		walked++
		for _, number := range []ticket.Number{n, "HM-0000000000"} {
			path := strings.ReplaceAll(r.Path, ":number", string(number))
			if r.Method == http.MethodGet {
				if a := carl.get(http.StatusNotFound, path); strings.Contains(a.Body, "canary") {
					t.Errorf("%s shows it", path)
				}
				visitor.get(http.StatusSeeOther, path)
				continue
			}
			carl.post(http.StatusNotFound, path, "body", "b", "score", "1")
			visitor.post(http.StatusUnauthorized, path, "body", "b", "score", "1")
		}
	}
	if walked < 7 {
		t.Errorf("only %d routes name a ticket", walked)
	}
	entries, err := o.Desk.Timeline(t.Context(), o.People["clara"], n)
	if err != nil || entries[len(entries)-1].Kind != ticket.EventResolved {
		t.Errorf("its timeline has: %+v, %v", entries, err)
	}
	if a := carl.get(http.StatusOK, "/tickets?q=canary"); a.Find(".ticket-row").Length() != 0 {
		t.Error("it is found")
	}
	carl.get(http.StatusNotFound, "/tickets/new?follows="+string(n))
}

type noFeed struct{}

func (noFeed) Subscribe(ticket.Number) (<-chan desk.Change, func()) { return nil, func() {} }

var hostile = []string{
	`<script>alert(1)</script>`, `"><img src=x onerror=alert(1)>`, `' onmouseover='x`, `</textarea><script>`, `{{.Person}}`, `javascript:alert(1)`,
	"\u202eevil", `</title><svg onload=x>`, strings.Repeat("W", 3000), "مرحبا بالعالم", "-- \n\n\n> a\n<b>",
}

// TestPages_letNothingTypedBecomeMarkup: the checks of every page find inline scripts and attributes.
func TestPages_letNothingTypedBecomeMarkup(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	for _, typed := range hostile {
		subject := typed
		if len(subject) > desk.MaxSubject {
			subject = subject[:desk.MaxSubject]
		}
		r, err := o.Desk.Submit(t.Context(), o.People["clara"], desk.Submission{Subject: subject, Body: typed, Order: subject})
		if err != nil {
			t.Fatal(err)
		}
		path := "/tickets/" + string(r.Number)
		o.command("anna", desk.Request{Number: r.Number, Verb: ticket.VerbResolve, Body: typed})
		b.post(http.StatusSeeOther, path+"/rating", "score", "1", "comment", strings.ReplaceAll(typed[:min(len(typed), 500)], "\x00", ""))
		a := b.get(http.StatusOK, path)
		if got := a.Find("main script, main img, main svg[onload], main b").Length(); got != 0 {
			t.Errorf("%.40q becomes %d elements", typed, got)
		}
		b.get(http.StatusOK, path+"/receipt")
		b.get(http.StatusOK, "/tickets/new?follows="+string(r.Number))
	}
	b.get(http.StatusOK, "/dashboard")
	b.get(http.StatusOK, "/tickets")
}
