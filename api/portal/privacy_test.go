package portal_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

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
		if got := a.Find("main script, main img, main svg[onload], main b").Not(".formatting button > b").Length(); got != 0 {
			t.Errorf("%.40q becomes %d elements", typed, got)
		}
		b.get(http.StatusOK, path+"/receipt")
		b.get(http.StatusOK, "/tickets/new?follows="+string(r.Number))
	}
	b.get(http.StatusOK, "/dashboard")
	b.get(http.StatusOK, "/tickets")
}

// TestParticipant_readsRepliesAndLeaves: a participant neither confirms, withdraws nor rates, and once they have left, the ticket
// is not there, also by the link that opened it.
func TestParticipant_readsRepliesAndLeaves(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "canary")
	carl, at := o.signedIn("carl"), "/tickets/"+string(n)
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAddParticipant, Whom: desk.Whom{Person: o.People["carl"].Address}})
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "For Clara alone.", Alone: true})
	token, err := o.Store.ConversationLink(t.Context(), n, o.People["carl"].ID, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	linked := o.visitor()
	linked.get(http.StatusSeeOther, "/c/"+token)
	for who, b := range map[string]*browser{"signed in": carl, "by link": linked} {
		a := b.get(http.StatusOK, at)
		a.wantTexts(t, "#ticket-side", "Clara Customer", "requester", "Carl Other", "(you)", "Leave this ticket")
		a.wantTexts(t, ".turn", "We need a reply from the requester")
		if strings.Contains(a.Body, "For Clara alone.") || strings.Contains(a.Body, o.People["clara"].Address) ||
			a.Find(`form[action$="/withdrawal"], form[action$="/confirmation"], form[action$="/rating"]`).Length() > 0 {
			t.Errorf("%s, the page shows more than a participant may see or do: %s", who, a.Find("main").Text())
		}
	}
	if a := carl.get(http.StatusOK, "/tickets"); a.Find(".ticket-row").Length() != 1 || !strings.Contains(a.Find(".ticket-row").Text(), "You participate") {
		t.Errorf("the list shows %q", a.Find(".ticket-row").Text())
	}
	carl.post(http.StatusForbidden, at+"/withdrawal")
	carl.post(http.StatusSeeOther, at+"/replies", "body", "I know more.")
	clara := o.signedIn("clara").get(http.StatusOK, at)
	clara.wantTexts(t, "#conversation", "Carl Other", "I know more.")
	clara.wantTexts(t, "#ticket-side", "Anna Agent added Carl Other.", "Carl Other replied.", "Withdraw this ticket")

	carl.post(http.StatusSeeOther, at+"/leaving")
	carl.get(http.StatusNotFound, at)
	carl.post(http.StatusNotFound, at+"/replies", "body", "b")
	linked.get(http.StatusNotFound, at)
	linked.post(http.StatusNotFound, at+"/replies", "body", "b")
	o.visitor().get(http.StatusNotFound, "/c/"+token)
}
