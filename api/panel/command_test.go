package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestWrite_saysItAndDoesWhatItsKindDoes, for a plain form and for one that a script sends.
func TestWrite_saysItAndDoesWhatItsKindDoes(t *testing.T) {
	cases := map[string]struct {
		path   string
		kind   ticket.EventKind
		status ticket.Status
		done   string
		stays  string // in the address that it leads to
	}{
		"reply":    {"replies", ticket.EventAgentReplied, ticket.StatusOpen, "Reply sent.", ""},
		"resolve":  {"resolution", ticket.EventResolved, ticket.StatusResolved, "Ticket resolved.", ""},
		"request":  {"information-requests", ticket.EventInformationRequested, ticket.StatusWaiting, "Request sent. The ticket is waiting for the requester.", ""},
		"progress": {"progress", ticket.EventProgressUpdated, ticket.StatusOpen, "Progress update sent.", ""},
		"note":     {"notes", ticket.EventNoted, ticket.StatusNew, "Note added.", "&mode=note"},
	}
	o := newFixture(t)
	b := o.browser("anna")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			n := o.submit("clara", "My parcel is late", "Where is it?")
			path := "/desk/tickets/" + string(n)
			form := b.get(path + "?queue=mine").Find("form#write-" + name)
			once := form.Find("[name=idempotency_key]").AttrOr("value", "")
			if form.AttrOr("action", "") != path+"/"+c.path+"?queue=mine" || once == "" {
				t.Fatalf("its form goes to %q, once %q", form.AttrOr("action", ""), once)
			}
			a := b.post(form.AttrOr("action", ""), url.Values{"body": {"What  I typed\r\n here"}, "idempotency_key": {once}}).wantStatus(http.StatusSeeOther)
			if to := a.Header.Get("Location"); to != path+"?queue=mine"+c.stays {
				t.Errorf("it leads to %s", to)
			}
			b.post(form.AttrOr("action", ""), url.Values{"body": {"What  I typed\r\n here"}, "idempotency_key": {once}}) // a double click
			if shown := b.get(path); shown.Line(".flash") != c.done {
				t.Errorf("it says %q", shown.Line(".flash"))
			}
			entries, err := o.Desk.Timeline(t.Context(), o.People["sam"], n)
			if err != nil {
				t.Fatal(err)
			}
			times := 0
			for _, e := range entries {
				if e.Kind == c.kind && e.Body == "What  I typed\n here" && e.By.ID == o.People["anna"].ID {
					times++
				}
			}
			if got := o.ticket(n).Ticket.Status; times != 1 || got != c.status {
				t.Errorf("said %d times, and the ticket is %s", times, got)
			}
		})
	}
}

func TestWrite_byScriptBringsTheTicketAndAnEmptyComposer(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	a := o.browser("anna").post("/desk/tickets/"+string(n)+"/replies", url.Values{"body": {"On its way."}}, byScript...).wantStatus(http.StatusOK)
	if a.Line("#conversation .said.staff .body") != "On its way." || a.Line(`[hx-swap-oob="innerHTML:#said"]`) != "Reply sent." {
		t.Errorf("it brings %.400s", a.Body)
	}
	if a.Find("#composer[hx-swap-oob] #body-reply").Text() != "" || a.Header.Get("HX-Trigger") != "desk:sent" {
		t.Errorf("the composer holds %q, triggered %q", a.Find("#body-reply").Text(), a.Header.Get("HX-Trigger"))
	}
}

// TestNote_isFollowedByNotes until the agent chooses otherwise: the next words must not reach the requester.
func TestNote_isFollowedByNotes(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b, path := o.browser("anna"), "/desk/tickets/"+string(n)
	plain := b.post(path+"/notes?queue=all", url.Values{"body": {"She called."}}).wantStatus(http.StatusSeeOther)
	for name, a := range map[string]response{
		"plain":     b.get(plain.Header.Get("Location")).wantStatus(http.StatusOK),
		"by script": b.post(path+"/notes", url.Values{"body": {"Again."}}, byScript...).wantStatus(http.StatusOK),
		"refetched": b.get(path+"?queue=all&part=composer&mode=note", byScript...).wantStatus(http.StatusOK),
	} {
		if chosen := a.Find(".mode [checked]").AttrOr("value", ""); chosen != "note" {
			t.Errorf("%s: after a note comes a %q", name, chosen)
		}
	}
	for _, asked := range []string{"?mode=nonsense", "?mode=Note", "?mode=note%20"} { // never read as a reply
		b.get(path + asked).wantStatus(http.StatusUnprocessableEntity)
		b.get(path+asked+"&part=composer", byScript...).wantStatus(http.StatusUnprocessableEntity)
	}
	if again := b.post(path+"/nonsense", url.Values{"body": {"She called."}}); again.Status != http.StatusNotFound {
		t.Errorf("a message of no kind is answered %d", again.Status)
	}
}

// TestWrite_isTakenOnceWhenItsAnswerIsLost: the form that comes back may have been taken, and keeps its key.
func TestWrite_isTakenOnceWhenItsAnswerIsLost(t *testing.T) {
	for name, headers := range map[string][]string{"plain": nil, "by script": byScript} {
		t.Run(name, func(t *testing.T) {
			o := newFixture(t)
			n := o.submit("clara", "My parcel is late", "Where is it?")
			b, path := o.browser("anna"), "/desk/tickets/"+string(n)
			once := b.get(path).Find("#write-reply [name=idempotency_key]").AttrOr("value", "")
			send := func(once string) response {
				return b.post(path+"/replies", url.Values{"body": {"On its way."}, "idempotency_key": {once}}, headers...)
			}
			o.faulty.unavailable.Store(true)
			a := send(once)
			if typed := strings.TrimSpace(a.Find("#body-reply").Text()); typed != "On its way." {
				t.Errorf("it gives back %q", typed)
			}
			o.faulty.unavailable.Store(false)
			send(a.Find("#write-reply [name=idempotency_key]").AttrOr("value", ""))
			if said := strings.Count(b.get(path).Line("#conversation"), "On its way."); said != 1 {
				t.Errorf("it is said %d times", said)
			}
		})
	}
}

// TestWrite_saysThatItWasSentBefore with other words: they come back, and can be sent as well.
func TestWrite_saysThatItWasSentBefore(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b, path := o.browser("anna"), "/desk/tickets/"+string(n)
	once := b.get(path).Find("#write-reply [name=idempotency_key]").AttrOr("value", "")
	b.post(path+"/replies", url.Values{"body": {"On its way."}, "idempotency_key": {once}}, byScript...).wantStatus(http.StatusOK)
	a := b.post(path+"/replies", url.Values{"body": {"It will be late."}, "idempotency_key": {once}}, byScript...).wantStatus(http.StatusOK)
	if why := a.Line("#body-reply-error"); !strings.HasPrefix(why, "This was sent before with different content, which was accepted") {
		t.Errorf("it says %q", why)
	}
	if typed := strings.TrimSpace(a.Find("#body-reply").Text()); typed != "It will be late." {
		t.Errorf("it gives back %q", typed)
	}
	b.post(path+"/replies", url.Values{"body": {"It will be late."}, "idempotency_key": {a.Find("#write-reply [name=idempotency_key]").AttrOr("value", "")}}, byScript...).wantStatus(http.StatusOK)
	if said := b.get(path).Line("#conversation"); strings.Count(said, "It will be late.") != 1 || strings.Count(said, "On its way.") != 1 {
		t.Errorf("the conversation is %q", said)
	}
}

// TestWrite_givesBackWhatWasTyped when it is refused, with the reason beside it, and says nothing to the requester.
func TestWrite_givesBackWhatWasTyped(t *testing.T) {
	o := newFixture(t)
	open := o.submit("clara", "My parcel is late", "Where is it?")
	closed := o.submit("clara", "Done with", "…")
	o.ask("anna", desk.Request{Number: closed, Verb: ticket.VerbClose})
	resolved := o.submit("clara", "Nearly done with", "…")
	o.ask("anna", desk.Request{Number: resolved, Verb: ticket.VerbResolve, Body: "Done."})
	long := strings.Repeat("x", desk.MaxBody+1)
	cases := map[string]struct {
		number ticket.Number
		path   string
		body   string
		mode   string
		status int
		why    string
	}{
		"too late":         {closed, "replies", "But wait", "reply", http.StatusConflict, "closed permanently"},
		"not in its state": {resolved, "information-requests", "Which?", "request", http.StatusConflict, "while the ticket is resolved"},
		"too long":         {open, "replies", long, "reply", http.StatusUnprocessableEntity, "longer than 65536 bytes"},
		"nothing":          {open, "notes", " \n", "note", http.StatusUnprocessableEntity, "is empty"},
		"unfilled":         {open, "replies", "Order {{ticket.order}} is on its way.", "reply", http.StatusUnprocessableEntity, "{{ticket.order}}"},
	}
	b := o.browser("anna")
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			before := o.ticket(c.number).Ticket.Events
			path := "/desk/tickets/" + string(c.number) + "/" + c.path
			for _, headers := range [][]string{nil, byScript} {
				status := c.status
				if headers != nil {
					status = http.StatusOK
				}
				a := b.post(path, url.Values{"body": {c.body}}, headers...).wantStatus(status)
				if headers == nil {
					pagetest.Check(t, name, a.Document)
				}
				if got := a.Find("#body-" + c.mode).Text(); got != c.body {
					t.Errorf("given back %.60q, want %.60q", got, c.body)
				}
				if got := a.Line("#body-" + c.mode + "-error"); !strings.Contains(got, c.why) {
					t.Errorf("the reason is %q, want %q", got, c.why)
				}
				if count := strings.Count(a.Line(".problem"), c.why); count != 1 {
					t.Errorf("the reason is shown %d times", count)
				}
				if a.Find("#mode-"+c.mode+"[checked]").Length() != 1 {
					t.Error("another kind of message is chosen")
				}
				if headers != nil && a.Header.Get("HX-Trigger") != "desk:refused" {
					t.Errorf("triggered %q", a.Header.Get("HX-Trigger"))
				}
			}
			entries, err := o.Desk.Timeline(t.Context(), o.People["clara"], c.number)
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range entries {
				if e.Body == c.body {
					t.Errorf("the requester can read it: %+v", e)
				}
			}
			if after := o.ticket(c.number).Ticket.Events; c.status == http.StatusUnprocessableEntity && after != before {
				t.Error("what is not valid was asked of the ticket")
			}
		})
	}
}

// TestWrite_thatIsNotDecidedInTimeIsKept, and does not invite to be said twice.
func TestWrite_thatIsNotDecidedInTimeIsKept(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.Stepper.Paused.Lock()
	a := o.browser("anna").post("/desk/tickets/"+string(n)+"/replies", url.Values{"body": {"On its way."}}, byScript...).wantStatus(http.StatusOK)
	o.Stepper.Paused.Unlock()
	if !strings.HasPrefix(a.Line(`[hx-swap-oob="innerHTML:#said"]`), "Accepted.") || a.Find("#body-reply").Text() != "" || a.Find("#ticket-head .tag.pending").Length() != 1 {
		t.Errorf("it says %q and gives back %q", a.Line(`[hx-swap-oob="innerHTML:#said"]`), a.Find("#body-reply").Text())
	}
}

// TestAssignment_saysWhoTookItASecondAgo instead of taking it from them.
func TestAssignment_saysWhoTookItASecondAgo(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	path := "/desk/tickets/" + string(n)
	anna, bert := o.browser("anna"), o.browser("bert")
	seen := map[string]url.Values{}
	for name, b := range map[string]*browser{"anna": anna, "bert": bert} {
		form := b.get(path).Find("form:has(#take)")
		seen[name] = url.Values{}
		form.Find("input").Each(func(_ int, s *goquery.Selection) { seen[name].Set(s.AttrOr("name", ""), s.AttrOr("value", "")) })
	}
	anna.post(path+"/assignment", seen["anna"]).wantStatus(http.StatusSeeOther)
	a := bert.post(path+"/assignment", seen["bert"]).wantStatus(http.StatusConflict)
	if got := a.Line("#ticket > .problem"); !strings.Contains(got, "Anna Agent") {
		t.Errorf("it says %q", got)
	}
	if has := o.ticket(n).Assignee; has == nil || has.ID != o.People["anna"].ID {
		t.Errorf("%+v has the ticket", has)
	}
	again := a.Find("form:has(#take) [name=expected]").AttrOr("value", "")
	bert.post(path+"/assignment", url.Values{"expected": {again}}, byScript...).wantStatus(http.StatusOK) // now they know, and mean it
	if has := o.ticket(n).Assignee; has == nil || has.ID != o.People["bert"].ID {
		t.Errorf("%+v has the ticket", has)
	}
}

func TestCommands_ofTheTicketsHead(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	path := "/desk/tickets/" + string(n) + "/"
	b := o.browser("anna")
	b.post(path+"assignment", url.Values{"agent": {"bert"}, "expected": {""}}).wantStatus(http.StatusSeeOther)
	b.post(path+"classification", url.Values{"priority": {"urgent"}, "category": {"general"}}).wantStatus(http.StatusSeeOther)
	v := o.ticket(n)
	if v.Assignee.Name != "Bert Agent" || v.Ticket.Priority != "urgent" {
		t.Errorf("assigned to %v, priority %s", v.Assignee, v.Ticket.Priority)
	}
	if a := b.post(path+"classification", url.Values{"priority": {"urgent"}, "category": {"general"}}, byScript...).wantStatus(http.StatusOK); a.Find(".bad").Length() > 0 && a.Find(`[hx-swap-oob="innerHTML:#said"] .bad`).Length() > 0 {
		t.Error("changing nothing is reported as a failure")
	}
	b.post(path+"classification", url.Values{"priority": {"huge"}}).wantStatus(http.StatusUnprocessableEntity)
	b.post(path+"classification", url.Values{"category": {"no such"}}).wantStatus(http.StatusConflict)
	b.post(path+"assignment", url.Values{"agent": {"nobody-of-this-name"}}).wantStatus(http.StatusUnprocessableEntity)
	b.post(path+"resolution", url.Values{"body": {"Done."}}).wantStatus(http.StatusSeeOther)
	b.post(path+"reopening", nil).wantStatus(http.StatusSeeOther)
	if got := o.ticket(n).Ticket.Status; got != ticket.StatusOpen {
		t.Errorf("reopened it is %s", got)
	}
	b.post(path+"acknowledgement", url.Values{"reason": {"I know."}}) // refused or not, no error page
	b.post(path+"closure", nil).wantStatus(http.StatusSeeOther)
	if got := o.ticket(n).Ticket.Status; got != ticket.StatusClosed {
		t.Errorf("closed it is %s", got)
	}
}

// TestReturn_ofANote: what was typed before the session ended is back in its form, which is the one that shows, until a
// script has sent it.
func TestReturn_ofANote(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "A lid", "It does not close.")
	b := o.browser("anna")
	page := "/desk/tickets/" + string(n) + "?queue=all"
	path := "/desk/tickets/" + string(n) + "/notes?queue=all"
	note := func() url.Values {
		form := url.Values{"body": {"Kept words."}}
		shown := b.get(page)
		for _, name := range []string{"idempotency_key", "written-by", "written-on"} {
			form.Set(name, shown.Find(`#write-note [name="`+name+`"]`).AttrOr("value", ""))
		}
		return form
	}
	form := note()
	if err := o.EndSessions(t.Context(), o.People["anna"].ID); err != nil {
		t.Fatal(err)
	}
	b.post(path, form)
	b.SignIn("anna")
	back := b.get(page)
	if got := strings.TrimSpace(back.Find("#body-note").Text()); got != "Kept words." {
		t.Errorf("the note's form holds %q", got)
	}
	if mode := back.Find(`[name="mode"][checked]`).AttrOr("value", ""); mode != "note" {
		t.Errorf("the form of a %s is shown", mode)
	}
	b.post(path, note(), append(byScript, "HX-Current-URL", o.server.URL+page)...)
	if kept := o.Count(`SELECT count(*) FROM kept_forms`); kept != 0 {
		t.Errorf("%d forms are kept after the note was taken", kept)
	}
}
