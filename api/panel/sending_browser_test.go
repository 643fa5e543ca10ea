package panel_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// kindKeys maps the shortcuts to the kinds of message.
var kindKeys = map[string]string{"r": "reply", "e": "resolve", "i": "request", "p": "progress", "n": "note"}

var public = []string{"r", "e", "i", "p"}

// messages returns the messages of a ticket without its submission and the supervisor's note of submit.
func (o *fixture) messages(n ticket.Number) []string {
	o.t.Helper()
	entries, err := o.Desk.Timeline(o.t.Context(), o.People["sam"], n)
	if err != nil {
		o.t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		if e.Body != "" {
			all = append(all, e.Body)
		}
	}
	return all[min(2, len(all)):]
}

// awaitMessages waits until the messages of a ticket are these.
func (o *fixture) awaitMessages(n ticket.Number, want ...string) {
	o.t.Helper()
	var got []string
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); time.Sleep(25 * time.Millisecond) {
		if got = o.messages(n); slices.Equal(got, want) {
			return
		}
	}
	o.t.Fatalf("on %s stands %q, want %q", n, got, want)
}

const (
	onTicket = `document.activeElement.id === "ticket-body"`
	noDrafts = `!Object.keys(localStorage).some((at) => at.startsWith("draft/") || at.startsWith("sending/"))`
	noWords  = `[...document.querySelectorAll(".write textarea")].every((field) => field.value === "")`
)

// TestSending_leavesTheBoxToThePanel: whatever is sent, the next keys are shortcuts and no words.
func TestSending_leavesTheBoxToThePanel(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	p, _ := o.window("anna")
	written := map[ticket.Number]bool{}
	for key, kind := range kindKeys {
		for _, how := range []string{"by key", "by button"} {
			n := o.submit("clara", kind+" "+how, "Where is it?")
			openTicket(p, n)
			p.Press(key)
			p.Type("Said once.")
			if how == "by key" {
				p.Press("Control+Enter")
			} else {
				p.ClickOn(".send-" + kind)
			}
			p.Until("the ticket has the focus after a "+kind+" "+how, onTicket)
			p.Press("Control+Enter")
			p.Press("j")
			p.Until("the list has the focus", `document.activeElement.matches(".item-link")`)
			p.Until("the boxes are empty", noWords)
			p.Press("n")
			p.Until("a note is begun", `document.activeElement.id === "body-note"`)
			written[n] = true
		}
	}
	for n := range written {
		o.awaitMessages(n, "Said once.")
	}
}

// TestSending_canBeTakenBack: words, kind and caret are where they were, and nothing was sent.
func TestSending_canBeTakenBack(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	p, _ := o.window("anna")
	for i, key := range public {
		kind := kindKeys[key]
		n := o.submit("clara", "Taken back: "+kind, "Where is it?")
		openTicket(p, n)
		release := holdMessages(p)
		p.Press(key)
		p.Type("Not ths")
		p.Press("ArrowLeft")
		p.Press("Control+Enter")
		p.SeeOn("#sending[role=status]", string(n))
		p.Until("the box is empty", noWords)
		if i%2 == 0 {
			p.Press("z")
		} else {
			p.Click("Undo")
		}
		p.Until("it can't be taken back twice", `document.querySelector("#sending").children.length === 0`)
		p.Until("the "+kind+" is back", fmt.Sprintf(`document.activeElement.id === "body-%s" && document.querySelector("#mode-%s").checked`, kind, kind))
		p.Type("i")
		p.Until("the caret is where it was", `document.activeElement.value === "Not this"`)
		p.Press("Control+Enter")
		p.SeeOn("#sending", string(n))
		release()
		o.awaitMessages(n, "Not this")
		p.Until("nothing is kept", noWords)
	}
	p.Until("nothing is kept", noDrafts)
}

// TestSending_isAtOnceWhenThePageIsLeft, and arrives once, also when its answer is lost on the way.
func TestSending_isAtOnceWhenThePageIsLeft(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	for name, lost := range map[string]bool{"answered": false, "answer lost": true} {
		t.Run(name, func(t *testing.T) {
			p, g := o.window("anna")
			n := o.submit("clara", "Left behind, "+name, "Where is it?")
			openTicket(p, n)
			var breaks atomic.Bool // the first answer alone; requests come from several connections at once
			breaks.Store(lost)
			_, free := g.delayResponses(func(r *http.Request) bool {
				return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/replies") && breaks.CompareAndSwap(true, false)
			})
			g.unavailable.Store(true)
			free()
			p.Forgive("503")
			send(p, "r", "On its way.")
			p.Goto("/desk/canned")
			o.awaitMessages(n, "On its way.")
			openTicket(p, n)
			p.SeeOn("#conversation", "On its way.")
			p.Until("nothing is left to be sent", noDrafts)
			p.Until("the box is empty", noWords)
			o.awaitMessages(n, "On its way.")
		})
	}
}

// TestSending_ofWordsTooLongToFollowThePage, which a browser sends only while the page is there.
func TestSending_ofWordsTooLongToFollowThePage(t *testing.T) {
	o, n, p, _ := newWindow(t, "A long answer", "Where is it?")
	openTicket(p, n)
	p.Press("r")
	browsertest.Value[bool](p, `(document.activeElement.value = "ä".repeat(20000), document.activeElement.dispatchEvent(new Event("input", {bubbles: true})))`)
	p.Press("Control+Enter")
	p.SeeOn("#sending", "Sending")
	p.Goto("/desk/canned")
	o.awaitMessages(n, strings.Repeat("ä", 20000))
}

// TestSending_ofSeveralAtOnce: each goes to its own ticket, and the newest is taken back first, from wherever one is.
func TestSending_ofSeveralAtOnce(t *testing.T) {
	o, first, p, _ := newWindow(t, "The first ticket", "One.")
	second := o.submit("carl", "The second ticket", "Two.")
	write := func(n ticket.Number, words string) {
		p.ClickOn(`#rows [data-number="` + string(n) + `"]`)
		p.SeeOn("#ticket-head .number", string(n))
		send(p, "r", words)
	}
	p.Goto("/desk?queue=all")
	release := holdMessages(p)
	write(first, "To Clara.")
	write(second, "To Carl.")
	p.SeeOn("#sending", string(first))
	p.SeeOn("#sending", string(second))
	p.ClickOn(`#rows [data-number="` + string(first) + `"]`)
	p.SeeOn("#ticket-head", "The first ticket")
	p.Press("z")
	p.SeeOn("#ticket-head", "The second ticket")
	p.Until("the second is taken back", `document.activeElement.id === "body-reply" && document.activeElement.value === "To Carl."`)
	release()
	o.awaitMessages(first, "To Clara.")
	p.Press("Control+Enter")
	p.SeeOn("#sending", string(second))
	release()
	o.awaitMessages(second, "To Carl.")
}

// TestSending_bringsRefusedWordsBack to the box of their ticket, with the reason.
func TestSending_bringsRefusedWordsBack(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	p, g := o.window("anna")
	p.Forgive("503", "401", "403", "net::ERR")
	var alone atomic.Bool // the page, which asks nothing by itself
	cases := map[string]struct {
		spoil func(n ticket.Number)
		why   string
	}{
		"refused": {func(n ticket.Number) { o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbClose}) }, "closed permanently"},
		"away":    {func(ticket.Number) { o.faulty.unavailable.Store(true) }, "the database is not responding"},
		"failed":  {func(ticket.Number) { g.unavailable.Store(true) }, "That failed. What you typed is saved."},
		"signed out": {func(ticket.Number) {
			alone.Store(true) // it would lead to the sign-in
			o.SQL("DELETE FROM sessions")
		}, "You have been signed out."},
		"another person": {func(ticket.Number) { // in another tab
			alone.Store(true) // it would show them the page
			browsertest.Value[bool](p, `fetch("/let-in/bert", { redirect: "manual" }).catch(() => {}).then(() => true)`)
		}, "You are signed in with a different account from the one this was written with"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			p.Goto("/let-in/anna")
			n := o.submit("clara", "Sent in vain: "+name, "Where is it?")
			openTicket(p, n)
			spoiled, over := make(chan struct{}), make(chan struct{})
			spoil := sync.OnceFunc(func() {
				defer close(spoiled)
				c.spoil(n)
			})
			_, free := g.delayResponses(func(r *http.Request) bool {
				switch {
				case r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/replies"):
					<-spoiled // which may take longer than words are held back
					return g.unavailable.Load()
				case isRefetch(r) && alone.Load():
					<-over
				}
				return false
			})
			free()
			t.Cleanup(func() { close(over) })
			p.Press("r")
			p.Type("In vain.")
			if name == "another person" { // what is sent says who sends it
				spoil()
			}
			p.Press("Control+Enter")
			p.SeeOn("#sending", string(n))
			spoil()
			p.SeeOn("#body-reply-error", c.why)
			p.Until("the words are back", `document.querySelector("#body-reply").value === "In vain." && document.querySelector("#body-reply").getAttribute("aria-invalid") === "true"`)
			p.Until("no key is taken for a word", `!document.activeElement.matches("textarea")`)
			o.faulty.unavailable.Store(false)
			g.unavailable.Store(false)
			alone.Store(false)
			g.delayResponses(func(*http.Request) bool { return false })
			if name == "refused" {
				return
			}
			p.Goto("/let-in/anna")
			openTicket(p, n)
			p.Until("the words outlive the page", `document.querySelector("#body-reply").value === "In vain."`)
			p.Press("r")
			p.Press("Control+Enter")
			p.SeeOn("#conversation .said.staff", "In vain.")
			o.awaitMessages(n, "In vain.")
		})
	}
}

// TestSending_overUnseenWords of a ticket that has been left meanwhile: opened again, it shows what was written, and the
// words wait in their box with the reason.
func TestSending_overUnseenWords(t *testing.T) {
	o, first, p, _ := newWindow(t, "The first ticket", "One.")
	second := o.submit("carl", "The second ticket", "Two.")
	openTicket(p, first)
	send(p, "e", "It must have arrived.")
	p.SeeOn("#sending", string(first))
	p.ClickOn(`#rows [data-number="` + string(second) + `"]`)
	p.SeeOn("#ticket-head .number", string(second))
	p.Press("r")
	p.Type("Half a")
	o.ask("clara", desk.Request{Number: first, Verb: ticket.VerbCustomerReply, Body: "No! The wrong one came."})
	p.SeeOn("#said", string(first)+": Clara Customer replied in the meantime, and this was not sent.")
	p.Type(" word.")
	p.Until("another ticket's box is left alone", `document.activeElement.id === "body-reply" && document.activeElement.value === "Half a word."`)
	p.Press("Escape")
	p.ClickOn(`#rows [data-number="` + string(first) + `"]`)
	p.SeeOn("#ticket-head .number", string(first))
	p.SeeOn("#conversation", "No! The wrong one came.")
	p.SeeOn("#body-resolve-error", "Clara Customer replied in the meantime, and this was not sent.")
	p.Until("the words are back", `document.querySelector("#body-resolve").value === "It must have arrived."`)
	if status := o.ticket(first).Ticket.Status; status == ticket.StatusResolved {
		t.Error("the ticket is resolved")
	}
	p.Press("e")
	p.Press("Control+Enter")
	p.SeeOn(".ticket-facts", "resolved")
}

// TestSending_canBeTakenBackByEveryone: axe-core finds nothing wrong with the line in which it is offered.
func TestSending_canBeTakenBackByEveryone(t *testing.T) {
	_, n, p, _ := newWindow(t, "Taken back", "Where is it?")
	for _, look := range []browsertest.Look{{}, {Dark: true}, {Width: 360, Height: 740}} {
		p.Look(look)
		openTicket(p, n)
		holdMessages(p)
		browsertest.Value[bool](p, `(document.querySelector("#body-reply").value = "Not this.", document.querySelector(".send-reply").click(), true)`)
		p.SeeOn("#sending", "Undo")
		for _, wrong := range p.Accessibility() {
			t.Errorf("%+v: %s", look, wrong)
		}
		p.Click("Undo sending reply")
	}
}

// TestSending_comesBeforeWhatIsAskedNext of the same ticket: closed too early, it would refuse the words.
func TestSending_comesBeforeWhatIsAskedNext(t *testing.T) {
	o, n, p, _ := newWindow(t, "Answered and closed", "Where is it?")
	openTicket(p, n)
	send(p, "r", "Farewell.")
	p.ClickOn(".actions .danger")
	p.Click("Yes, do it")
	p.SeeOn("#ticket-head", "closed")
	o.awaitMessages(n, "Farewell.")
}

// TestSending_isAwaitedByWhatIsAskedNext, also when it is under way already and the page is brought up to date meanwhile.
func TestSending_isAwaitedByWhatIsAskedNext(t *testing.T) {
	o, n, p, g := newWindow(t, "Answered and closed", "Where is it?")
	openTicket(p, n)
	arrived, carryOn := make(chan struct{}, 1), make(chan struct{})
	letGo := sync.OnceFunc(func() { close(carryOn) })
	t.Cleanup(letGo)
	_, free := g.delayResponses(func(r *http.Request) bool {
		if r.Method != http.MethodPost || !strings.HasSuffix(r.URL.Path, "/replies") {
			return false
		}
		arrived <- struct{}{}
		<-carryOn
		return true
	})
	t.Cleanup(free)
	send(p, "r", "Farewell.")
	<-arrived
	browsertest.Value[bool](p, `(document.addEventListener("htmx:confirm", (event) => { if (event.detail.verb === "post") document.body.dataset.asked = 1; }), true)`)
	p.ClickOn(".actions .danger")
	p.Click("Yes, do it")
	p.Until("closing was asked, and is not under way", `document.body.dataset.asked && !document.querySelector("form.htmx-request")`)
	letGo()
	o.awaitMessages(n, "Farewell.")
	free()
	p.SeeOn("#ticket-head", "closed")
}

// TestSending_goesOnAfterAReload while a command waited for it: the words arrive, and the next page knows.
func TestSending_goesOnAfterAReload(t *testing.T) {
	o, n, p, g := newWindow(t, "Answered and left", "Where is it?")
	openTicket(p, n)
	_, free := g.delayResponses(func(r *http.Request) bool {
		return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/replies")
	})
	t.Cleanup(free)
	send(p, "r", "On its way.")
	p.Press("a") // waits for the reply
	o.awaitMessages(n, "On its way.")
	g.delayResponses(func(*http.Request) bool { return false })
	openTicket(p, n)
	p.Until("nothing is left to be sent", noDrafts)
	p.Until("nothing has failed on the way", noWords)
}

// TestSending_ofAWindowThatWasSuspended, whose words another window has made a draft: sent by both, they arrive once.
func TestSending_ofAWindowThatWasSuspended(t *testing.T) {
	o, n, p, _ := newWindow(t, "Written in two windows", "Where is it?")
	openTicket(p, n)
	send(p, "r", "Said once.")
	p.SeeOn("#sending", string(n))
	at := browsertest.Value[string](p, `Object.keys(localStorage).find((at) => at.startsWith("sending/"))`)
	message := browsertest.Value[string](p, `localStorage.getItem("`+at+`")`)
	o.awaitMessages(n, "Said once.") // as the suspended window sends it when it wakes up
	p.Until("it was accepted", noDrafts)
	browsertest.Value[bool](p, fmt.Sprintf(`(localStorage.setItem(%q, JSON.stringify({ ...JSON.parse(%q), until: Date.now() - 60000 })), true)`, at, message))
	openTicket(p, n)
	p.SeeOn("#body-reply-error", "If you send it again, it arrives only once.")
	p.Press("r")
	p.Press("Control+Enter")
	p.SeeOn("#said", "Reply sent")
	o.awaitMessages(n, "Said once.")
}

// TestSending_leadsToTheNextRow when the ticket leaves the list by it, also if the page learns that before the response.
func TestSending_leadsToTheNextRow(t *testing.T) {
	browsertest.Require(t)
	for name, late := range map[string]bool{"response first": false, "list first": true} {
		t.Run(name, func(t *testing.T) {
			o := newFixture(t)
			for _, subject := range []string{"Number one", "Number two", "Number three"} {
				o.submit("clara", subject, "…")
			}
			p, g := o.window("anna")
			p.Goto("/desk?queue=unassigned")
			p.Until("the list is there", `document.querySelectorAll("#rows .item-link").length === 3`)
			numbers := browsertest.Value[[]string](p, `[...document.querySelectorAll("#rows .item-link")].map((link) => link.dataset.number)`)
			p.ClickOn(`#rows [data-number="` + numbers[1] + `"]`)
			p.SeeOn("#ticket-head .number", numbers[1])
			if late {
				_, free := g.delayResponses(func(r *http.Request) bool {
					return r.Method == http.MethodPost && strings.HasSuffix(r.URL.Path, "/replies")
				})
				defer free()
				send(p, "r", "I have it.")
				p.Until("the ticket has left the list", `document.querySelectorAll("#rows .item-link").length === 2`)
				free()
			} else {
				_, free := g.delayResponses(func(r *http.Request) bool { return isRefetch(r) && r.URL.Path == "/desk" })
				defer free()
				send(p, "r", "I have it.")
				p.SeeOn("#said", "Reply sent")
				free()
				p.Until("the ticket has left the list", `document.querySelectorAll("#rows .item-link").length === 2`)
			}
			p.Until("the next row has the focus", `document.activeElement.dataset.number === "`+numbers[2]+`"`)
			p.Press("Enter")
			p.SeeOn("#ticket-head .number", numbers[2])
		})
	}
}
