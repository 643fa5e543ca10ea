package panel_test

import (
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestWrite_isRefusedOverUnseenWords, which then stand beside what was typed; sent again it goes through.
func TestWrite_isRefusedOverUnseenWords(t *testing.T) {
	for name, headers := range map[string][]string{"plain": nil, "by script": byScript} {
		for _, kind := range []string{"reply", "resolve", "request", "progress"} {
			t.Run(kind+" "+name, func(t *testing.T) {
				o := newFixture(t)
				n := o.submit("clara", "My parcel is late", "Where is it?")
				b, path := o.browser("anna"), "/desk/tickets/"+string(n)
				form := b.get(path).Find("#write-" + kind)
				value := func(f response, field string) string {
					return f.Find("#write-"+kind+" [name="+field+"]").AttrOr("value", "")
				}
				o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Stop, it is the wrong one!"})
				o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "I know her."})
				action, seen := form.AttrOr("action", ""), form.Find("[name=seen]").AttrOr("value", "")
				a := b.post(action, url.Values{"body": {"All is well."}, "seen": {seen}, "idempotency_key": {form.Find("[name=idempotency_key]").AttrOr("value", "")}}, headers...)
				if a.Line("#write-"+kind+" .problem") != "Clara Customer and Bert Agent replied in the meantime, and this was not sent." {
					t.Errorf("%d: it says %q", a.Status, a.Line("#write-"+kind+" .problem"))
				}
				if shown := a.Line("#write-" + kind + " .unseen"); !strings.Contains(shown, "Stop, it is the wrong one!") || !strings.Contains(shown, "I know her.") || strings.Contains(shown, "Where is it?") {
					t.Errorf("it shows %q", shown)
				}
				if typed := strings.TrimSpace(a.Find("#body-" + kind).Text()); typed != "All is well." || a.Line("#write-"+kind+" .send") != "Send anyway" {
					t.Errorf("typed was %q, sent by %q", typed, a.Line("#write-"+kind+" .send"))
				}
				if shown := a.Line("#conversation"); !strings.Contains(shown, "Stop, it is the wrong one!") {
					t.Errorf("the conversation is %q", shown)
				}
				b.post(action, url.Values{"body": {"All is well."}, "seen": {value(a, "seen")}, "idempotency_key": {value(a, "idempotency_key")}}, headers...)
				if said := o.timeline(n); said[len(said)-1].Body != "All is well." || said[len(said)-1].Kind == ticket.EventRefused {
					t.Errorf("the last entry is %+v", said[len(said)-1])
				}
			})
		}
	}
}

func (o *fixture) timeline(n ticket.Number) []desk.Entry {
	o.t.Helper()
	entries, err := o.Desk.Timeline(o.t.Context(), o.People["sam"], n)
	if err != nil {
		o.t.Fatal(err)
	}
	return entries
}

// TestNote_isNotGuarded: the requester does not see it.
func TestNote_isNotGuarded(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b, path := o.browser("anna"), "/desk/tickets/"+string(n)
	if b.get(path).Find("#write-note [name=seen]").Length() != 0 {
		t.Error("a note says what was seen")
	}
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Hello?"})
	b.post(path+"/notes", url.Values{"body": {"Called her."}, "seen": {"1"}}).wantStatus(http.StatusSeeOther)
}

func TestClosure_isRefusedOverUnseenWords(t *testing.T) {
	for name, headers := range map[string][]string{"plain": nil, "by script": byScript} {
		t.Run(name, func(t *testing.T) {
			o := newFixture(t)
			n := o.submit("clara", "My parcel is late", "Where is it?")
			b, path := o.browser("anna"), "/desk/tickets/"+string(n)
			const field = `form[action*="/closure"] [name=seen]`
			seen := b.get(path).Find(field).AttrOr("value", "")
			o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Wait!"})
			a := b.post(path+"/closure", url.Values{"seen": {seen}}, headers...)
			if o.closed(n) || !strings.Contains(a.Line(`.problem, [hx-swap-oob="innerHTML:#said"]`), "Clara Customer replied in the meantime, and the ticket was not closed") {
				t.Fatalf("it says %q", a.Line(`.problem, [hx-swap-oob="innerHTML:#said"]`))
			}
			b.post(path+"/closure", url.Values{"seen": {a.Find(field).AttrOr("value", "")}}, headers...)
			if !o.closed(n) {
				t.Error("it can't be closed any more")
			}
		})
	}
}

// TestWrite_lostAnswerAndABroughtUpPageAreOneRequest: what the page shows by then is no part of it.
func TestWrite_lostAnswerAndABroughtUpPageAreOneRequest(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b, path := o.browser("anna"), "/desk/tickets/"+string(n)
	once := b.get(path).Find("#write-reply [name=idempotency_key]").AttrOr("value", "")
	for _, seen := range []string{"2", "3"} {
		b.post(path+"/replies", url.Values{"body": {"Once."}, "idempotency_key": {once}, "seen": {seen}}).wantStatus(http.StatusSeeOther)
	}
	if said := strings.Count(b.get(path).Line("#conversation"), "Once."); said != 1 {
		t.Errorf("it is said %d times", said)
	}
}

func TestBulk_closesWhatWasSeenOnly(t *testing.T) {
	o := newFixture(t)
	calm, busy := o.submit("clara", "A calm ticket", "One."), o.submit("carl", "A busy ticket", "Two.")
	b := o.browser("anna")
	list := b.get("/desk?queue=all")
	form := url.Values{"do": {"close"}, "ticket": {string(calm), string(busy)}, "idempotency_key": {list.Find("#bulk [name=idempotency_key]").AttrOr("value", "")}}
	for _, n := range []ticket.Number{calm, busy} {
		form.Set("seen-"+string(n), list.Find(`[name="seen-`+string(n)+`"]`).AttrOr("value", "none"))
	}
	o.ask("carl", desk.Request{Number: busy, Verb: ticket.VerbCustomerReply, Body: "Not yet!"})
	a := b.post("/desk/bulk", form).wantStatus(http.StatusOK)
	if !o.closed(calm) || o.closed(busy) || !strings.Contains(a.Line(".refusals"), string(busy)+" someone has replied since you loaded this list") {
		t.Errorf("%s", a.Line("main"))
	}
}

// TestWrite_usedUpAllowanceKeepsTheWords: nothing is stored, and what was typed comes back.
func TestWrite_usedUpAllowanceKeepsTheWords(t *testing.T) {
	with := sitetest.Open(t, "panel")
	with.Limit()
	o := newFixtureOn(t, with)
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	anna := o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Employ("sam", ticket.RoleSupervisor, "Sam Supervisor")
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "The first."})
	b, path := o.browser("anna"), "/desk/tickets/"+string(n)
	for name, c := range map[string]struct {
		headers []string
		status  int
	}{"plain": {nil, http.StatusTooManyRequests}, "by script": {byScript, http.StatusOK}} {
		o.SQL(`UPDATE allowances SET spent_until = clock_timestamp() + $1::interval`, account.CommandLimit(anna).Horizon(0)) // one is free again after a second
		a := b.post(path+"/replies", url.Values{"body": {"On its way."}}, c.headers...).wantStatus(c.status)
		if typed := strings.TrimSpace(a.Find("#body-reply").Text()); typed != "On its way." || a.Header.Get("Retry-After") == "" {
			t.Errorf("%s: typed was %q, Retry-After %q", name, typed, a.Header.Get("Retry-After"))
		}
		if why := a.Line("#write-reply .problem"); !strings.Contains(why, "You have sent too much in a short time") {
			t.Errorf("%s: it says %q", name, why)
		}
	}
	if slices.ContainsFunc(o.timeline(n), func(e desk.Entry) bool { return e.Kind == ticket.EventAgentReplied }) {
		t.Error("it was sent")
	}
}

func (o *fixture) closed(n ticket.Number) bool {
	o.t.Helper()
	return o.ticket(n).Ticket.Status == ticket.StatusClosed
}
