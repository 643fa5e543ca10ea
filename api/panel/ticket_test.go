package panel_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestTicket_showsTheConversationWithNotesSetApart(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?\nSee https://example.com/track?a=1&b=2.")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "Which address?"})
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "The old one."})
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "She moved."})
	a := o.browser("anna").get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK)
	pagetest.Check(t, "a ticket", a.Document)
	var said []string
	a.Find("#conversation .said").Each(func(_ int, s *goquery.Selection) {
		from := strings.TrimPrefix(s.AttrOr("class", ""), "said ")
		said = append(said, from+": "+s.Find("strong").Text()+": "+strings.SplitN(s.Find(".body").Text(), "\n", 2)[0])
	})
	want := []string{
		"requester: Clara Customer: Where is it?", "note: Sam Supervisor: Seen.", "staff: Anna Agent: Which address?",
		"requester: Clara Customer: The old one.", "note: Bert Agent: She moved.",
	}
	if strings.Join(said, "\n") != strings.Join(want, "\n") {
		t.Errorf("the conversation is\n%s\nwant\n%s", strings.Join(said, "\n"), strings.Join(want, "\n"))
	}
	if link := a.Find(".body a"); link.AttrOr("href", "") != "https://example.com/track?a=1&b=2" || link.Length() != 1 {
		t.Errorf("the address became %q", link.AttrOr("href", ""))
	}
	if label := a.Line(".said.note .tag"); label != "Internal noteInternal note" {
		t.Errorf("notes are labelled %q", label)
	}
	if what := a.Line(".happened"); !strings.Contains(what, "Anna Agent took the ticket") {
		t.Errorf("what happened is %q", what)
	}
	if next := a.Find(".coming"); !strings.Contains(next.Text(), "reminder that the resolution is due soon") || next.Find("time").Length() != 1 {
		t.Errorf("what comes next is %q", next.Text())
	}
}

func TestTicket_explainsEachDeadlineFromTheLedger(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	a := o.browser("anna").get("/desk/tickets/" + string(n))
	if got := a.Find(".clock").Length(); got != 2 {
		t.Fatalf("%d clocks", got)
	}
	for id, want := range map[string]string{"first_response": "started with 72h, counted during opening hours", "resolution": "started with 10d, counted around the clock"} {
		why := a.Find("#why-" + id)
		if !strings.Contains(why.Find("summary").Text(), "Why this deadline?") || !strings.Contains(why.Find("li").First().Text(), want) ||
			!strings.Contains(why.Find("li").Last().Text(), "Deadline") {
			t.Errorf("%s is explained as %q", id, why.Text())
		}
		if bar := why.Parent().Find("progress"); bar.AttrOr("aria-label", "") == "" || bar.AttrOr("max", "") == "" {
			t.Errorf("%s has no bar", id)
		}
	}
}

func TestTicket_explainsInTheViewersZone(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	if note := b.get("/desk/tickets/" + string(n)).Find("#why-first_response [data-hours]"); note.Length() != 1 || note.Filter("[hidden]").Length() != 1 {
		t.Error("the hours' zone is shown to a person in the same zone")
	}
	at, err := url.Parse(o.server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.Client.Jar.SetCookies(at, []*http.Cookie{{Name: "tz", Value: "Asia/Kathmandu"}})
	a := b.get("/desk/tickets/" + string(n))
	for _, id := range []string{"first_response", "resolution"} {
		why := a.Find("#why-" + id)
		first, last := why.Find("li").First().Find("time"), why.Find("li").Last().Find("time")
		if !strings.HasSuffix(first.Text(), " +0545") || !strings.HasSuffix(last.Text(), " +0545") || last.AttrOr("datetime", "") == "" {
			t.Errorf("%s is explained as %q", id, why.Text())
		}
	}
	note := a.Find("[data-hours]")
	if note.Length() != 1 || note.Filter("[hidden]").Length() != 0 || note.Closest("#why-first_response").Length() != 1 {
		t.Errorf("the hours' zone is shown as %q", note.Text())
	}
}

func TestTicket_showsMailsCommandsAndWhatElseTheRequesterWants(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	other := o.submit("clara", "And my invoice", "Please.")
	o.submit("carl", "Another customer's", "…")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbReopen}) // refused
	if err := o.Store.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(1)}, desk.DeliveryBounced, "550 no such mailbox"); err != nil {
		t.Fatal(err)
	}
	a := o.browser("anna").get("/desk/tickets/" + string(n))
	if got := a.Line("#mails li"); !strings.HasPrefix(got, "bounced receipt to Clara Customer") || !strings.Contains(got, "550 no such mailbox") {
		t.Errorf("the mails are %q", got)
	}
	if a.Find("#mails[open]").Length() != 1 {
		t.Error("a bounce stays folded away")
	}
	got := a.Line("#commands li")
	for _, want := range []string{"done 1. submit by Clara Customer", "done 2. note by Sam Supervisor", "refused 3. reopen by Anna Agent"} {
		if !strings.Contains(got, want) {
			t.Errorf("the commands are %q, want %q in them", got, want)
		}
	}
	if a.Line(".others a") != "And my invoice" || a.Find(".others a").AttrOr("href", "") != "/desk/tickets/"+string(other) {
		t.Errorf("the other tickets are %q", a.Line(".others"))
	}
	if link := a.Find(".references a[target=_blank]").AttrOr("href", ""); link != "http://temporal.example/namespaces/default/workflows/"+string(n) {
		t.Errorf("its workflow is at %q", link)
	}
}

// Those who were removed can't be sent anything.
func TestTicket_aBouncedMailIsSentAgainToPeopleOfTheTicketOnly(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.whom(ticket.VerbAddParticipant, n, o.People["carl"].Address, "")
	history, err := o.Store.History(t.Context(), n)
	if err != nil {
		t.Fatal(err)
	}
	mail := history.Mails[len(history.Mails)-1].N
	err = o.Store.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(mail)}, desk.DeliveryBounced, "550 no such mailbox")
	if err == nil {
		_, err = o.Step(t.Context(), ticket.StepRequest{Number: n, Bounced: mail})
	}
	if err != nil {
		t.Fatal(err)
	}
	offered := func() int { return o.browser("anna").get("/desk/tickets/" + string(n)).Find("details.resend").Length() }
	if got := offered(); got != 1 {
		t.Errorf("%d emails can be sent again, want that to the participant", got)
	}
	o.whom(ticket.VerbRemoveParticipant, n, o.People["carl"].Address, "")
	if got := offered(); got != 0 {
		t.Errorf("%d emails can be sent again to people who were removed", got)
	}
}

func TestTicket_aBouncedMailIsSentAgainFromItsLine(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbRequestInformation, Body: "Which one?"})
	b, at := o.browser("anna"), "/desk/tickets/"+string(n)
	if got := b.get(at).Line("#conversation .coming"); !strings.Contains(got, "has not reached the requester yet") {
		t.Errorf("while the question is owed: %q", got)
	}
	err := o.Store.SettleDelivery(t.Context(), outbox.Key{Queue: outbox.TicketMails, Ticket: n, N: int64(2)}, desk.DeliveryBounced, "550 no such mailbox")
	if err == nil {
		_, err = o.Step(t.Context(), ticket.StepRequest{Number: n, Bounced: 2})
	}
	if err != nil {
		t.Fatal(err)
	}
	a := b.get(at)
	if got := a.Line("#conversation .happened.bad"); !strings.Contains(got, "could not be delivered") || !strings.Contains(got, "the ticket is open again") {
		t.Errorf("the bounce reads %q", got)
	}
	form := url.Values{"mail": {"2"}, "address": {"right@example.org"}, "idempotency_key": {a.Find("#resend-2 [name=idempotency_key]").AttrOr("value", "")}}
	b.post(at+"/resend", form).wantStatus(http.StatusSeeOther)
	a = b.get(at)
	if a.Find("#resend-2").Length() > 0 || !strings.Contains(a.Line("#conversation"), "Anna Agent sent the email again: the ticket is waiting for the requester again") {
		t.Errorf("sent again: %q", a.Line("#conversation"))
	}
	if got := a.Line("#mails"); !strings.Contains(got, "Clara Customer at right@example.org, again") {
		t.Errorf("the mails are %q", got)
	}
}

func TestTicket_showsItsRating(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	if b.get("/desk/tickets/"+string(n)).Find(".rating").Length() > 0 {
		t.Error("it is rated before the requester did")
	}
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Here it is."})
	if _, err := o.Desk.Rate(t.Context(), o.People["clara"], desk.Rating{Number: n, Score: 4, Comment: "Quick!"}); err != nil {
		t.Fatal(err)
	}
	a := b.get("/desk/tickets/" + string(n))
	if a.Line(".rating") != "4 4 of 5" || a.Line(".side blockquote") != "Quick!" {
		t.Errorf("the rating is %q %q", a.Line(".rating"), a.Line(".side blockquote"))
	}
}

// TestTicket_offersWhatItsStatusAllows, and nothing once it is closed.
func TestTicket_offersWhatItsStatusAllows(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	offered := func() string {
		a := b.get("/desk/tickets/" + string(n)).wantStatus(http.StatusOK)
		pagetest.Check(t, "a ticket", a.Document)
		var modes []string
		a.Find(".mode input").Each(func(_ int, s *goquery.Selection) { modes = append(modes, s.AttrOr("value", "")) })
		return strings.Join(modes, " ")
	}
	if got := offered(); got != "reply resolve request progress note" {
		t.Errorf("a new ticket offers %q", got)
	}
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Done."})
	if got := offered(); got != "reply note" {
		t.Errorf("a resolved ticket offers %q", got)
	}
	if b.get("/desk/tickets/"+string(n)).Find(`form[action*="/reopening"]`).Length() != 1 {
		t.Error("a resolved ticket can't be reopened")
	}
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbClose})
	if got := offered(); got != "" {
		t.Errorf("a closed ticket offers %q", got)
	}
	a := b.get("/desk/tickets/" + string(n))
	if !strings.Contains(a.Line("#composer-status"), "closed permanently") || a.Find(".actions").Length() > 0 {
		t.Errorf("a closed ticket says %q", a.Line("#composer-status"))
	}
}

// TestTicket_partsLeaveTheComposerAlone: a live update does not replace text that is being typed.
func TestTicket_partsLeaveTheComposerAlone(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	b := o.browser("anna")
	live := b.get("/desk/tickets/"+string(n)+"?queue=all&part=live", byScript...).wantStatus(http.StatusOK)
	if live.Find("textarea, #composer, html > body > header.site-header").Length() > 0 {
		t.Error("the update brings a composer or a layout")
	}
	var swapped []string
	live.Find("[hx-swap-oob]").Each(func(_ int, s *goquery.Selection) { swapped = append(swapped, s.AttrOr("id", "?")) })
	if got := strings.Join(swapped, " "); got != "ticket-head conversation ticket-side composer-status composer-recipients" {
		t.Errorf("the update swaps %q", got)
	}
	if composer := b.get("/desk/tickets/"+string(n)+"?part=composer", byScript...); composer.Find("#composer[hx-swap-oob] textarea").Length() != 5 {
		t.Errorf("the composer is %.200s", composer.Body)
	}
	opened := b.get("/desk/tickets/"+string(n)+"?queue=all", byScript...)
	if opened.Find("#ticket #composer").Length() != 1 || opened.Find("#list").Length() > 0 || !strings.Contains(opened.Find("title").Text(), "My parcel is late") {
		t.Errorf("opened it is %.200s", opened.Body)
	}
	if whole := b.get("/desk/tickets/"+string(n)+"?queue=all", "HX-Request", "true", "HX-History-Restore-Request", "true"); whole.Find("#list").Length() != 1 {
		t.Error("going back brings a part of a page")
	}
}
