package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// escalatedTicket returns a ticket of clara, assigned to bert, whose deadlines passed weeks ago.
func (o *fixture) escalatedTicket() ticket.Number {
	o.t.Helper()
	at := time.Now().Add(-60 * 24 * time.Hour).UTC().Truncate(time.Second)
	c := desk.ImportTicket{Number: ticket.NewNumber("HM"), Actions: []desk.ImportAction{
		{By: o.People["clara"], At: at, Verb: ticket.VerbSubmit, Subject: "A private matter", Body: "Confidential.", Priority: policy.PriorityNormal, Category: "delivery"},
		{By: o.People["sam"], At: at.Add(time.Second), Verb: ticket.VerbAssign, Agent: o.People["bert"]},
	}}
	if _, err := o.Import(o.t.Context(), []desk.ImportTicket{c}); err != nil {
		o.t.Fatal(err)
	}
	return c.Number
}

// escalationLink returns the path of a link as an escalation's mail contains it.
func (o *fixture) escalationLink(n ticket.Number, who string, lasts time.Duration) string {
	o.t.Helper()
	secret, err := o.Store.Secret(o.t.Context(), "links")
	if err != nil {
		o.t.Fatal(err)
	}
	return "/e/" + link.NewEscalation(secret, link.Grant{Number: n, Person: o.People[who].ID, Expires: time.Now().Add(lasts).Truncate(time.Second)})
}

func TestEscalationLink_acknowledgesInTheNameOfWhoseItIs(t *testing.T) {
	o := newFixture(t)
	n := o.escalatedTicket()
	b, address := o.browser(""), o.escalationLink(n, "bert", link.EscalationLifetime)
	before := o.ticket(n)
	for range 3 { // as programs that check mails do
		page := b.get(address).wantStatus(http.StatusOK)
		if text := page.Find("main").Text(); !strings.Contains(text, "first response") || !strings.Contains(text, "Bert Agent") || strings.Contains(page.Body, "private matter") || strings.Contains(page.Body, "Confidential") {
			t.Fatalf("the page says %s", text)
		}
	}
	if after := o.ticket(n); after.LastCommand != before.LastCommand || after.Ticket.EscalationStep() == 0 {
		t.Fatal("looking at it did something")
	}
	once := b.get(address).Find("input[name=idempotency_key]").AttrOr("value", "")
	for range 2 { // a form that is sent twice is taken once
		if got := b.post(address, url.Values{"reason": {"I phone her now."}, "idempotency_key": {once}}).wantStatus(http.StatusSeeOther); got.Header.Get("Location") != address {
			t.Errorf("it leads to %s", got.Header.Get("Location"))
		}
	}
	after := o.ticket(n)
	if after.Ticket.EscalationStep() != 0 || after.LastCommand != before.LastCommand+1 {
		t.Errorf("step %d, %d commands", after.Ticket.EscalationStep(), after.LastCommand-before.LastCommand)
	}
	entries, err := o.Desk.Timeline(t.Context(), o.People["sam"], n)
	if err != nil {
		t.Fatal(err)
	}
	if last := entries[len(entries)-1]; last.Kind != ticket.EventAcknowledged || last.By.ID != o.People["bert"].ID || last.Body != "I phone her now." {
		t.Errorf("the timeline ends with %+v", last)
	}
	if text := b.get(address).wantStatus(http.StatusOK).Find("main").Text(); !strings.Contains(text, "There is nothing left to acknowledge") {
		t.Errorf("afterwards the page says %s", text)
	}
}

func TestEscalationLink_worksForNoOneElse(t *testing.T) {
	o := newFixture(t)
	n := o.escalatedTicket()
	before := o.ticket(n)
	good := o.escalationLink(n, "bert", time.Hour)
	secret, err := o.Store.Secret(t.Context(), "links")
	if err != nil {
		t.Fatal(err)
	}
	grant := link.Grant{Number: n, Person: o.People["bert"].ID, Expires: time.Now().Add(time.Hour).Truncate(time.Second)}
	addresses := map[string]string{
		"nonsense":            "/e/nonsense",
		"cut off":             good[:len(good)-3],
		"a conversation link": "/e/" + link.New(secret, grant),
		"a customer's":        o.escalationLink(n, "clara", time.Hour),
	}
	if err := o.Store.DisablePerson(t.Context(), o.People["anna"].ID); err != nil {
		t.Fatal(err)
	}
	addresses["of a disabled person"] = o.escalationLink(n, "anna", time.Hour)
	b := o.browser("")
	for name, address := range addresses {
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			if got := b.do(method, address, url.Values{"reason": {"x"}}, nil); got.Status != http.StatusNotFound || strings.Contains(got.Body, string(n)) {
				t.Errorf("%s: %s answers %d", name, method, got.Status)
			}
		}
	}
	expired := o.escalationLink(n, "bert", -time.Minute)
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		if got := b.do(method, expired, url.Values{"reason": {"x"}}, nil).wantStatus(http.StatusSeeOther); got.Header.Get("Location") != "/desk/tickets/"+string(n) {
			t.Errorf("an expired one leads to %s", got.Header.Get("Location"))
		}
	}
	ended := o.escalationLink(n, "bert", link.EscalationLifetime)
	if _, err := o.Store.Accounts().EndAll(t.Context(), o.People["bert"].ID, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	for _, method := range []string{http.MethodGet, http.MethodPost} {
		got := b.do(method, ended, url.Values{"reason": {"x"}}, nil).wantStatus(http.StatusGone)
		if text := got.Find("main").Text(); !strings.Contains(text, "This link no longer works") || !strings.Contains(text, "Sign in or get a new link") {
			t.Errorf("one that was ended says %s", text)
		}
	}
	if after := o.ticket(n); after.LastCommand != before.LastCommand || after.Ticket.EscalationStep() == 0 {
		t.Error("one of them did something")
	}
}

func TestHandover_assignsTheTicketToAColleagueAndSaysWhy(t *testing.T) {
	o := newFixture(t)
	n := o.escalatedTicket()
	b := o.browser("sam")
	page := b.get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK)
	form := url.Values{"agent": {o.People["anna"].Handle}, "reason": {"Bert is ill."}, "idempotency_key": {"a key of this form"}}
	form.Set("expected", page.Find(".handover input[name=expected]").AttrOr("value", ""))
	if page.Find(`#handover-to option[value="`+o.People["bert"].Handle+`"]`).Length() != 0 {
		t.Error("it offers the current assignee")
	}
	for range 2 {
		b.post("/desk/tickets/"+string(n)+"/handover", form, byScript...).wantStatus(http.StatusOK)
	}
	after := o.ticket(n)
	if after.Ticket.Assignee != o.People["anna"].ID {
		t.Errorf("%s has the ticket", after.Ticket.Handle)
	}
	if notes := o.notes(n); len(notes) != 1 || notes[0] != "Bert is ill." {
		t.Errorf("the notes are %q", notes)
	}
	// Who still sees bert's name has seen an old page: nothing is done, and nothing noted.
	form.Set("idempotency_key", "another key")
	form.Set("agent", o.People["sam"].Handle)
	if got := b.post("/desk/tickets/"+string(n)+"/handover", form, byScript...); !strings.Contains(got.Body, "Anna Agent has this ticket now") {
		t.Errorf("a late one is answered %d: %.300s", got.Status, got.Body)
	}
	form.Set("agent", "")
	form.Set("idempotency_key", "a third key")
	if got := b.post("/desk/tickets/"+string(n)+"/handover", form, byScript...); !strings.Contains(got.Body, "choose a colleague") {
		t.Errorf("no agent: %d", got.Status)
	}
	if len(o.notes(n)) != 1 {
		t.Errorf("the notes are %q", o.notes(n))
	}
}

func (o *fixture) notes(n ticket.Number) (all []string) {
	o.t.Helper()
	entries, err := o.Desk.Timeline(o.t.Context(), o.People["sam"], n)
	if err != nil {
		o.t.Fatal(err)
	}
	for _, e := range entries {
		if e.Kind == ticket.EventNoted {
			all = append(all, e.Body)
		}
	}
	return all
}

func TestEscalation_aLinkThatWasEndedCanBeRead(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerk", "Late.")
	ended := o.escalationLink(n, "bert", link.EscalationLifetime)
	if _, err := o.Store.Accounts().EndAll(t.Context(), o.People["bert"].ID, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	w, _ := o.window("carl")
	w.Forgive("410")
	w.Goto(ended)
	w.See("This link no longer works")
	w.CheckReadable("escalation-link-ended")
}

// TestEscalation_refusedKeepsTheReason in its form; where neither form takes it any more, it comes back as a note.
func TestEscalation_refusedKeepsTheReason(t *testing.T) {
	const reason = "I phone <her> now."
	o := newFixture(t)
	b := o.browser("sam")
	for name, headers := range map[string][]string{"plain": nil, "by script": byScript} {
		t.Run(name, func(t *testing.T) {
			n := o.escalatedTicket()
			path := "/desk/tickets/" + string(n)
			a := b.post(path+"/handover", url.Values{"agent": {o.People["anna"].Handle}, "expected": {"another person"}, "reason": {reason}}, headers...)
			if form := a.Find("#handover[open]"); form.Find("#handover-reason").AttrOr("value", "") != reason || form.Find("option[selected]").AttrOr("value", "") != o.People["anna"].Handle {
				t.Errorf("the handover comes back as %s", a.Line(".problem"))
			}
			a = b.post(path+"/acknowledgement", url.Values{"reason": {strings.Repeat("x", desk.MaxBody+1)}}, headers...)
			if a.Find("#ack-reason").AttrOr("value", "") == "" {
				t.Error("the acknowledgement comes back without its reason")
			}
			o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbAcknowledge})
			a = b.post(path+"/acknowledgement", url.Values{"reason": {reason}}, headers...)
			if headers != nil {
				if line := a.Find("[data-as-note]"); line.AttrOr("data-reason", "") != reason || a.Find("#body-note").Length() != 0 {
					t.Errorf("it says %q", line.Text())
				}
				return
			}
			if a.Find("#body-note").Text() != reason || !strings.Contains(a.Line("#body-note-error"), "no escalation to acknowledge") {
				t.Errorf("%d: the note is %q, because %q", a.Status, a.Find("#body-note").Text(), a.Line("#body-note-error"))
			}
		})
	}
	n := o.escalatedTicket()
	o.ask("sam", desk.Request{Number: n, Verb: ticket.VerbAcknowledge})
	a := o.browser("").post(o.escalationLink(n, "bert", link.EscalationLifetime), url.Values{"reason": {reason}}).wantStatus(http.StatusConflict)
	if a.Find("#reason[readonly]").Text() != reason || !strings.Contains(a.Line("main .problem"), "no escalation to acknowledge") {
		t.Errorf("the link's page says %s", a.Line("main"))
	}
}
