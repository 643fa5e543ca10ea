package portal_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestReply_isRefusedOverUnseenWords(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "s")
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	before := b.get(http.StatusOK, path)
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "canary of a note"})
	b.post(http.StatusSeeOther, path+"/replies", "body", "A note is nothing to me.", "seen", before.value("#reply-form [name=seen]"))

	before = b.get(http.StatusOK, path)
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "It is on its way."})
	a := b.post(http.StatusConflict, path+"/replies", "body", "Where is it?", "seen", before.value("#reply-form [name=seen]"), "idempotency_key", before.value("#reply-form [name=idempotency_key]"))
	a.wantTexts(t, "#body-error", "We wrote to you while you were writing")
	a.wantTexts(t, "#conversation", "It is on its way.")
	a.wantTexts(t, "#reply-form button", "Send anyway")
	if a.value("[name=body]") != "Where is it?" {
		t.Errorf("typed was %q", a.value("[name=body]"))
	}
	if strings.Contains(a.Body, "canary") {
		t.Error("a note is shown to the requester")
	}
	b.post(http.StatusSeeOther, path+"/replies", "body", "Where is it?", "seen", a.value("#reply-form [name=seen]"), "idempotency_key", a.value("#reply-form [name=idempotency_key]"))
	a = b.get(http.StatusOK, path)
	a.wantTexts(t, ".mine:last-child", "Where is it?")
	a.wantTexts(t, ".bubble.crossed", "Not sent: we wrote to you at the same time")
}

func TestEnds_areRefusedOverUnseenWords(t *testing.T) {
	for _, act := range []string{"confirmation", "withdrawal"} {
		t.Run(act, func(t *testing.T) {
			o := newFixture(t)
			n := o.submitted("clara", "s")
			b, path := o.signedIn("clara"), "/tickets/"+string(n)
			if act == "confirmation" {
				o.command("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
			}
			field := `form[action$="/` + act + `"] [name=seen]`
			before := b.get(http.StatusOK, path)
			o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "One more thing."})
			a := b.post(http.StatusSeeOther, path+"/"+act, "seen", before.value(field))
			if a.Location != path+"#latest" {
				t.Errorf("it leads to %q", a.Location)
			}
			after := b.get(http.StatusOK, path)
			after.wantTexts(t, ".flash", "We wrote to you in the meantime, so nothing was done.")
			after.wantTexts(t, "#ticket-side", "We wrote to you at the same time, so this was not done")
			b.post(http.StatusSeeOther, path+"/"+act, "seen", after.value(field))
			b.get(http.StatusOK, path).wantTexts(t, "main", "Closed")
		})
	}
}

// TestLimits_giveBackWhatWasTyped, on every form that a customer writes in.
func TestLimits_giveBackWhatWasTyped(t *testing.T) {
	with := sitetest.OpenUnder(t, "portal", policy.Holesalemart())
	with.Limit()
	o := newFixtureOn(t, with)
	n := o.submitted("clara", "s")
	o.command("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "b"})
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "b"})
	o.SQL(`UPDATE allowances SET spent_until = clock_timestamp() + $1::interval`, account.TicketLimit(desk.Person{}).Horizon(0))
	b, path := o.signedIn("clara"), "/tickets/"+string(n)
	const limited = "you have sent too much in a short time; try again in"
	for _, c := range []struct{ path, field, says string }{
		{"/tickets", "body", ".problem"}, {path + "/replies", "body", "#body-error"}, {path + "/rating", "comment", "#score-error"},
	} {
		a := b.post(http.StatusTooManyRequests, c.path, "subject", "Another", c.field, "My words", "score", "4", "category", "order")
		if a.value("[name="+c.field+"]") != "My words" || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: typed was %q, Retry-After %q", c.path, a.value("[name="+c.field+"]"), a.Header.Get("Retry-After"))
		}
		a.wantTexts(t, c.says, limited)
	}
	a := b.post(http.StatusTooManyRequests, "/suggestions", "body", "My words")
	if a.value("[name=body]") != "My words" {
		t.Errorf("typed was %q", a.value("[name=body]"))
	}
	b.post(http.StatusSeeOther, path+"/confirmation")
	b.get(http.StatusOK, path).wantTexts(t, ".flash", "That was not possible: "+limited)
}

// TestTicket_wordsThatALivePageShowsAreSeen: a reply to a message that a live page shows is accepted.
func TestTicket_wordsThatALivePageShowsAreSeen(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.submitted("clara", "s")
	p := browsertest.Open(t, o.server.URL, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/" + string(n))
	p.SeeOn("#conversation", "Body of s")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Which one?"})
	p.SeeOn("#conversation", "Which one?")
	p.Fill("Add a message", "The blue one.")
	p.Click("Send")
	p.SeeOn(".bubble.mine:last-child", "The blue one.")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "It is yours."})
	p.SeeOn("#conversation", "It is yours.")
	p.Click("Yes, it is resolved")
	p.SeeOn("#ticket-head", "Closed")
}
