package portal_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scriptModes are browsers with and without scripts.
var scriptModes = map[string]browsertest.Look{"scripts": {}, "no scripts": {NoScript: true}}

// window returns a browser at the portal.
func (o *fixture) window(t *testing.T, look browsertest.Look) *browsertest.Page {
	t.Helper()
	browsertest.Require(t)
	return browsertest.Open(t, o.server.URL, look)
}

func (o *fixture) endSessions(t *testing.T, name string) {
	t.Helper()
	if err := o.EndSessions(t.Context(), o.People[name].ID); err != nil {
		t.Fatal(err)
	}
}

// accountLink returns the path of a link that signs a person in.
func (o *fixture) accountLink(t *testing.T, name string) string {
	t.Helper()
	link, err := o.accounts.CreateLink(t.Context(), o.People[name].Address, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimPrefix(link, "http://support.example")
}

func (o *fixture) count(t *testing.T, name string) int {
	t.Helper()
	all, _, err := o.Desk.List(t.Context(), desk.Filter{Viewer: o.People[name], Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return len(all)
}

func holds(t *testing.T, p *browsertest.Page, id, want string) {
	t.Helper()
	p.Until(fmt.Sprintf("#%s holds %q", id, want), fmt.Sprintf("document.getElementById(%q)?.value === %q", id, want))
}

// policyWithCategories returns a policy with several categories.
func policyWithCategories() string {
	return string(policy.Holesalemart()) + "\ncategories: [general, orders]\n"
}

func TestReturn_whatWasTypedIsBackAfterSigningIn(t *testing.T) {
	o := newFixtureUnder(t, policyWithCategories())
	for name, look := range scriptModes {
		t.Run(name, func(t *testing.T) {
			p, before := o.window(t, look), o.count(t, "clara")
			p.Goto("/let-in/clara")
			p.Goto("/tickets/new")
			p.Fill("Subject", "The lid")
			p.Fill("Message", "It does not close.\nNot at all.")
			p.Fill("Order number", "A-1234")
			p.Choose("Category", "orders")
			category := browsertest.Value[string](p, `document.getElementById("category").value`)
			o.endSessions(t, "clara")
			p.Click("Submit ticket")
			p.At(`/sign-in\?next=.*`)
			p.See("Your session has ended", "What you typed is saved")
			p.Fill("Email address", o.People["clara"].Address)
			p.Click("Email me a link instead")
			p.See("Check your inbox")
			p.Goto(o.accountLink(t, "clara"))
			p.ClickOn("main button[type=submit]")
			p.At(`/tickets/new\?form=.*`)
			p.See("What you typed is back and has not been sent yet")
			holds(t, p, "subject", "The lid")
			holds(t, p, "body", "It does not close.\nNot at all.")
			holds(t, p, "order", "A-1234")
			holds(t, p, "category", category)
			if n := o.count(t, "clara"); n != before {
				t.Fatalf("%d tickets, want %d: it was sent by itself", n, before)
			}
			p.Click("Submit ticket")
			p.See("We have your request")
			if n := o.count(t, "clara"); n != before+1 {
				t.Errorf("%d tickets, want %d", n, before+1)
			}
			p.Goto("/tickets/new")
			holds(t, p, "body", "")
			p.SeeNot("What you typed is back")
		})
	}
}

// sendReply selects the button that sends the reply.
const sendReply = "#reply-form button[type=submit]:not([name=preview])"

func TestReturn_ofAReplyByALinkFromAMail(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "A link")
	for name, look := range scriptModes {
		t.Run(name, func(t *testing.T) {
			p := o.window(t, look)
			p.Goto("/c/" + o.token(n, "clara", time.Now().Add(time.Hour)))
			p.FillIn("#body", "Words by a link, "+name)
			o.endSessions(t, "clara")
			p.ClickOn(sendReply)
			p.See("What you typed is saved")
			p.Goto("/c/" + o.token(n, "clara", time.Now().Add(time.Hour)))
			holds(t, p, "body", "Words by a link, "+name)
			p.Until("the reply has the focus", `document.activeElement.id === "body"`)
			p.ClickOn(sendReply)
			p.SeeOn("#conversation", "Words by a link, "+name)
			holds(t, p, "body", "")
		})
	}
}

func TestReturn_isForTheSamePersonOnly(t *testing.T) {
	o := newFixture(t)
	for name, look := range scriptModes {
		t.Run(name, func(t *testing.T) {
			p, before := o.window(t, look), o.count(t, "carl")
			p.Goto("/let-in/clara")
			p.Goto("/tickets/new")
			p.Fill("Message", "canary for Clara alone")
			p.Fill("Subject", "canary")
			o.endSessions(t, "clara")
			p.Click("Submit ticket")
			p.See("What you typed is saved")
			back := browsertest.Value[string](p, `new URLSearchParams(location.search).get("next")`)
			p.Goto("/let-in/carl")
			p.Goto(back)
			holds(t, p, "body", "")
			p.SeeNot("canary")
			p.Goto("/let-in/clara")
			p.Goto(back)
			holds(t, p, "body", "canary for Clara alone")
			if n := o.count(t, "carl"); n != before {
				t.Errorf("%d tickets of Carl's, want %d", n, before)
			}
		})
	}
}

// TestReturn_aFormIsNotSentAsAnotherPerson who has signed in with that browser since it was shown.
func TestReturn_aFormIsNotSentAsAnotherPerson(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	form := b.get(http.StatusOK, "/tickets/new")
	b.SignIn("carl")
	a := b.send(http.StatusForbidden, form, "/tickets", "subject", "Whose?", "body", "Clara's words")
	a.wantTexts(t, "main", "so it was not sent", "saved for a day")
	again := b.send(http.StatusForbidden, form, "/tickets", "subject", "Whose?", "body", "Clara's words")
	if got, want := again.Find("main h1 + p").Text(), a.Find("main h1 + p").Text(); got != want {
		t.Errorf("the second refusal says %q, the first said %q", got, want)
	}
	nothing := b.send(http.StatusForbidden, form, "/suggestions")
	if text := nothing.Find("main").Text(); strings.Contains(text, "saved for a day") {
		t.Errorf("a form without words is answered with %q", text)
	}
	if o.count(t, "carl")+o.count(t, "clara") != 0 {
		t.Error("it was sent")
	}
	page := form.value(`main [name="written-on"]`)
	if a := b.get(http.StatusOK, page); strings.Contains(a.Body, "Clara's words") || strings.Contains(a.Body, "Clara&#39;s words") {
		t.Error("Carl is shown Clara's words")
	}
	b.SignIn("clara")
	if got := b.get(http.StatusOK, page).value("#body"); got != "Clara's words" {
		t.Errorf("the form holds %q", got)
	}
	b.post(http.StatusSeeOther, "/sign-out")
	b.SignIn("clara")
	if got := b.get(http.StatusOK, page).value("#body"); got != "" {
		t.Errorf("after signing out the form holds %q", got)
	}
}

func TestReturn_keepsOnlyWhatItMay(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	form := b.get(http.StatusOK, "/account")
	fields := []string{"current", "canary-secret", "password", "canary-password", "label", "canary-label"}
	o.endSessions(t, "clara")
	b.send(http.StatusSeeOther, form, "/account/tokens", fields...)
	if kept := o.Count(`SELECT count(*) FROM kept_forms WHERE fields LIKE '%canary-label%' AND fields NOT LIKE '%canary-secret%' AND fields NOT LIKE '%canary-password%'`); kept != 1 {
		t.Errorf("%d forms are kept without their passwords", kept)
	}
	// Forms of strangers are not saved, whatever name they claim.
	stranger := o.visitor()
	for _, writer := range []string{string(o.People["clara"].ID), string(o.People["clara"].ID) + "." + strings.Repeat("A", 43), ""} {
		stranger.post(http.StatusUnauthorized, "/tickets", "subject", "s", "body", "b", "written-by", writer, "written-on", "/tickets/new")
	}
	// Nor can anyone with a seal of a page that is older than any session.
	secret, err := o.Secret(t.Context(), "writers")
	if err != nil {
		t.Fatal(err)
	}
	for days, want := range map[int64]int{13: 2, 15: 1} {
		name := fmt.Sprintf("%s.%d", o.People["clara"].ID, time.Now().Unix()/(24*60*60)-days)
		mac := hmac.New(sha256.New, secret)
		mac.Write([]byte(name))
		b.post(http.StatusSeeOther, "/tickets", "body", "aged", "written-on", "/tickets/new",
			"written-by", name+"."+base64.RawURLEncoding.EncodeToString(mac.Sum(nil)))
		if kept := o.Count(`SELECT count(*) FROM kept_forms`); kept != want {
			t.Errorf("%d forms are kept with one from %d days ago, want %d", kept, days, want)
		}
		o.SQL(`DELETE FROM kept_forms WHERE fields = 'body=aged'`)
	}
	// Nor more than a few, nor longer than a day.
	page := form.value(`main [name="written-on"]`)
	for i := range 20 {
		b.send(http.StatusSeeOther, form, fmt.Sprintf("/people/%d/disable", i), "body", "canary-many")
	}
	if kept := o.Count(`SELECT count(*) FROM kept_forms`); kept != 8 {
		t.Errorf("%d forms are kept", kept)
	}
	o.SQL(`UPDATE kept_forms SET kept_at = kept_at - interval '25 hours'`)
	b.SignIn("clara")
	if a := b.get(http.StatusOK, page); strings.Contains(a.Body, "canary") {
		t.Error("yesterday's words are shown")
	}
}

// send posts a form with the hidden fields that the page has.
func (b *browser) send(status int, form response, path string, fields ...string) response {
	b.t.Helper()
	values := url.Values{}
	for _, name := range []string{"idempotency_key", "written-by", "written-on"} {
		values.Set(name, form.value(`main form [name="`+name+`"]`))
	}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return b.wantStatus(status, b.ask(http.MethodPost, path, values), "POST "+path)
}

func TestDraft_isKeptInTheBrowserUntilItIsAccepted(t *testing.T) {
	o := newFixtureUnder(t, policyWithCategories())
	n := o.submitted("clara", "Drafts")
	p := o.window(t, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/" + string(n))
	p.FillIn("#body", "Half a reply")
	p.See("Saved as a draft in this browser")
	p.Goto("/suggestions")
	p.Fill("Your suggestion", "Half a suggestion")
	p.Goto("/tickets/new")
	p.Fill("Subject", "Half a ticket")
	p.Choose("Category", "orders")
	category := browsertest.Value[string](p, `document.getElementById("category").value`)
	p.Goto("/tickets")
	p.Goto("/tickets/new")
	holds(t, p, "subject", "Half a ticket")
	holds(t, p, "category", category)
	p.Goto("/suggestions")
	holds(t, p, "body", "Half a suggestion")
	p.Goto("/tickets/" + string(n))
	holds(t, p, "body", "Half a reply")
	p.ClickOn(sendReply)
	p.SeeOn("#conversation", "Half a reply")
	holds(t, p, "body", "")
	p.Reload()
	holds(t, p, "body", "")
	p.Goto("/tickets/new")
	holds(t, p, "subject", "Half a ticket")
	p.ClickOn("details.menu summary")
	p.Click("Sign out")
	p.At("/")
	drafts(t, p, 0)
}

// drafts waits until the browser keeps want drafts, of any person.
func drafts(t *testing.T, p *browsertest.Page, want int) {
	t.Helper()
	p.Until(fmt.Sprintf("the browser keeps %d drafts", want), fmt.Sprintf(`Object.keys(localStorage).filter(k => k.startsWith("draft/")).length === %d`, want))
}

// TestDraft_isGoneWhenAnotherPersonSignsIn, or its writer signs out here; not when the session is ended elsewhere.
func TestDraft_isGoneWhenAnotherPersonSignsIn(t *testing.T) {
	o := newFixture(t)
	p := o.window(t, browsertest.Look{})
	write := func() {
		t.Helper()
		p.Goto("/let-in/clara")
		p.Goto("/suggestions")
		p.Fill("Your suggestion", "Half a suggestion")
		drafts(t, p, 1)
	}
	write()
	o.endSessions(t, "clara")
	p.Goto("/policy")
	drafts(t, p, 1)
	p.Goto("/let-in/carl")
	p.Goto("/suggestions")
	holds(t, p, "body", "")
	drafts(t, p, 0)
	write()
	browsertest.Value[bool](p, `(document.querySelector('form[action="/sign-out"]').requestSubmit(), true)`)
	p.Until("they are signed out", `!document.documentElement.dataset.person`)
	drafts(t, p, 0)
}

// TestDraft_ofALinksRequester is saved though no one is signed in, and belongs to that requester.
func TestDraft_ofALinksRequester(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "A link")
	open := "/c/" + o.token(n, "clara", time.Now().Add(time.Hour))
	p := o.window(t, browsertest.Look{})
	p.Goto(open)
	p.FillIn("#body", "Half a reply")
	p.See("Saved as a draft in this browser for two weeks, or until you send it.")
	p.Goto("/policy")
	p.Goto("/tickets/" + string(n))
	holds(t, p, "body", "Half a reply")
	p.ClickOn(sendReply)
	p.SeeOn("#conversation", "Half a reply")
	drafts(t, p, 0)
	p.FillIn("#body", "Another")
	drafts(t, p, 1)
	p.Goto("/policy") // a page of the ticket that is open would ask for updates in the next person's session
	p.Goto("/let-in/clara")
	p.Goto("/tickets/" + string(n))
	holds(t, p, "body", "Another")
	p.Goto("/policy")
	p.Goto("/let-in/carl")
	p.Goto("/policy")
	drafts(t, p, 0)

	// Carl opens Clara's link: he may answer as her, and his browser promises to keep nothing.
	p.Goto(open)
	p.FillIn("#body", "By the link, in another's browser")
	p.SeeNot("Saved as a draft")
	p.ClickOn(sendReply)
	p.SeeOn("#conversation", "By the link, in another's browser")
}

// TestReturn_aLinkCountsForItsTicketAlone: a form that was shown to its requester on another page stays theirs.
func TestReturn_aLinkCountsForItsTicketAlone(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "A link")
	b := o.signedIn("clara")
	form := b.get(http.StatusOK, "/tickets/new")
	b.SignIn("carl")
	b.get(http.StatusSeeOther, "/c/"+o.token(n, "clara", time.Now().Add(time.Hour)))
	b.send(http.StatusSeeOther, b.get(http.StatusOK, "/tickets/"+string(n)), "/tickets/"+string(n)+"/replies", "body", "As Clara")
	b.send(http.StatusForbidden, form, "/tickets", "subject", "Whose?", "body", "Clara's words")
	if o.count(t, "carl") != 0 {
		t.Error("Clara's words were sent as Carl")
	}
}

func TestBack_andSendAgainIsOneTicket(t *testing.T) {
	o := newFixture(t)
	for name, look := range scriptModes {
		t.Run(name, func(t *testing.T) {
			p, before := o.window(t, look), o.count(t, "clara")
			fill := func(body string) {
				p.Fill("Subject", "Twice")
				p.Fill("Message", body)
			}
			p.Goto("/let-in/clara")
			p.Goto("/tickets/new")
			fill("The same words.")
			p.Click("Submit ticket")
			p.See("We have your request")
			number := p.Read(".receipt-number")
			p.Back()
			p.At(`/tickets/new\?form=.*`)
			fill("The same words.")
			p.Click("Submit ticket")
			p.See("We have your request")
			if again := p.Read(".receipt-number"); again != number || o.count(t, "clara") != before+1 {
				t.Fatalf("sent again it is %s, and was %s", again, number)
			}
			p.Forgive("409")
			p.Back()
			p.At(`/tickets/new\?form=.*`)
			fill("Other words.")
			p.Click("Submit ticket")
			p.See("You have already submitted this form", number, "has not been sent")
			holds(t, p, "body", "Other words.")
			p.Click("Add to " + number)
			p.SeeOn("#conversation", "Other words.")
			if o.count(t, "clara") != before+1 {
				t.Error("the reply made a ticket")
			}
			p.Goto("/tickets/new")
			holds(t, p, "body", "")
			fill("First.")
			p.Click("Submit ticket")
			p.See("We have your request")
			p.Back()
			p.At(`/tickets/new\?form=.*`)
			fill("Second.")
			p.Click("Submit ticket")
			p.See("You have already submitted this form")
			p.Settle() // a line about the draft moves the buttons down
			p.Click("Submit as a new ticket")
			p.See("We have your request")
			if o.count(t, "clara") != before+3 {
				t.Errorf("%d tickets, want %d", o.count(t, "clara"), before+3)
			}
		})
	}
}

func TestBack_andSendAgainIsOneReplyAndOneSuggestion(t *testing.T) {
	o := newFixture(t)
	for name, look := range scriptModes {
		t.Run(name, func(t *testing.T) {
			n := o.submitted("clara", "Replies")
			p := o.window(t, look)
			p.Goto("/let-in/clara")
			p.Goto("/tickets/" + string(n))
			p.FillIn("#body", "Any news?")
			p.ClickOn(sendReply)
			p.SeeOn("#conversation", "Any news?")
			p.Back()
			p.SeeOn("#conversation", "Body of Replies")
			p.FillIn("#body", "Any news?")
			p.ClickOn(sendReply)
			p.SeeOn("#conversation", "Any news?")
			p.See("You have already sent this message")
			p.Settle()
			p.FillIn("#body", "Something else.")
			p.ClickOn(sendReply)
			p.SeeOn("#conversation", "Something else.")
			if bubbles := browsertest.Value[int](p, `document.querySelectorAll(".bubble").length`); bubbles != 3 {
				t.Errorf("%d messages, want 3", bubbles)
			}
			p.Goto("/suggestions")
			p.Fill("Your suggestion", "More jam, "+name)
			p.Click("Send suggestion")
			p.See("Thank you for your suggestion")
			p.Back()
			p.Fill("Your suggestion", "More jam, "+name)
			p.Click("Send suggestion")
			p.See("Thank you for your suggestion")
			if kept := o.Count(`SELECT count(*) FROM suggestions WHERE body = $1`, "More jam, "+name); kept != 1 {
				t.Errorf("%d suggestions", kept)
			}
		})
	}
}

// TestReply_isTakenAgainWhenItIsMeant: after the desk has spoken, or long after.
func TestReply_isTakenAgainWhenItIsMeant(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Again")
	b := o.signedIn("clara")
	path := "/tickets/" + string(n)
	bubbles := func(want int) {
		t.Helper()
		if got := b.get(http.StatusOK, path).Find(".bubble").Length(); got != want {
			t.Errorf("%d messages, want %d", got, want)
		}
	}
	say := func() { b.send(http.StatusSeeOther, b.get(http.StatusOK, path), path+"/replies", "body", "Any news?") }
	say()
	say()
	bubbles(2)
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Not yet."})
	say()
	say()
	bubbles(4)
	o.SQL(`ALTER TABLE commands DISABLE TRIGGER ALL`)
	o.SQL(`UPDATE commands SET accepted_at = accepted_at - interval '2 hours'`)
	say()
	say()
	bubbles(5)
}

// TestReturn_formsOfOnePathStayApart: each page with a form for new tickets has its own words back.
func TestReturn_formsOfOnePathStayApart(t *testing.T) {
	o := newFixture(t)
	b := o.signedIn("clara")
	var pages []string
	forms := []response{b.get(http.StatusOK, "/tickets/new"), b.get(http.StatusOK, "/tickets/new")}
	o.endSessions(t, "clara")
	for i, form := range forms {
		pages = append(pages, form.value(`main [name="written-on"]`))
		b.send(http.StatusSeeOther, form, "/tickets", "subject", "s", "body", fmt.Sprint("Words ", i))
	}
	b.SignIn("clara")
	for i, page := range pages {
		if got, want := b.get(http.StatusOK, page).value("#body"), fmt.Sprint("Words ", i); got != want {
			t.Errorf("%s holds %q, want %q", page, got, want)
		}
	}
	b.send(http.StatusSeeOther, b.get(http.StatusOK, pages[0]), "/tickets", "subject", "s", "body", "Words 0")
	if got := b.get(http.StatusOK, pages[1]).value("#body"); got != "Words 1" {
		t.Errorf("after the first was sent, the second holds %q", got)
	}
	if got := b.get(http.StatusOK, pages[0]).value("#body"); got != "" {
		t.Errorf("after it was sent, the first holds %q", got)
	}
}

// TestReturn_aRefusalKeepsWhatWasTyped, also one that is answered with a redirect.
func TestReturn_aRefusalKeepsWhatWasTyped(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Not settled yet")
	b := o.signedIn("clara")
	path := "/tickets/" + string(n)
	form := b.get(http.StatusOK, path)
	o.endSessions(t, "clara")
	b.send(http.StatusSeeOther, form, path+"/rating", "score", "4", "comment", "Quick")
	b.SignIn("clara")
	b.send(http.StatusSeeOther, form, path+"/rating", "score", "4", "comment", "Quick")
	if kept := o.Count(`SELECT count(*) FROM kept_forms`); kept != 1 {
		t.Errorf("%d forms are kept after the rating was refused", kept)
	}
}

// TestDraft_ofAnotherFormStays when one is accepted that is sent to the same path.
func TestDraft_ofAnotherFormStays(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Before")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbClose})
	p := o.window(t, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/new")
	p.Fill("Message", "Half an hour of typing")
	drafts(t, p, 1)
	p.Goto("/tickets/new?follows=" + string(n))
	p.Fill("Message", "It is back.")
	drafts(t, p, 2)
	p.Click("Submit ticket")
	p.See("We have your request")
	drafts(t, p, 1)
	p.Goto("/tickets/new")
	holds(t, p, "body", "Half an hour of typing")
}

// TestReturn_whatIsTypedAfterwardsIsNewer: what was put back once is not put back over it, nor over an emptied box.
func TestReturn_whatIsTypedAfterwardsIsNewer(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "The lid")
	p := o.window(t, browsertest.Look{})
	page := "/tickets/" + string(n)
	p.Goto("/let-in/clara")
	p.Goto(page)
	p.Fill("Add a message", "Not at all.")
	o.endSessions(t, "clara")
	p.Click("Send")
	p.At(`/sign-in\?next=.*`)
	p.Goto("/let-in/clara")
	p.Goto(page)
	holds(t, p, "body", "Not at all.")
	for _, newer := range []string{"Not at all. Since Monday.", ""} {
		p.Fill("Add a message", newer)
		p.Goto("/tickets")
		p.Goto(page)
		holds(t, p, "body", newer)
	}
}
