package panel_test

import (
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// responseGate is a handler in front of the panel that can delay responses, to test slow answers and their order.
type responseGate struct {
	next        http.Handler
	unavailable atomic.Bool // what is held fails

	mu       sync.Mutex
	matches  func(*http.Request) bool
	released chan struct{} // closed when what is held may go on
	delayed  chan string   // the method of each answer that waits
}

// delayResponses delays the responses to matching requests, which are carried out at once, until free is called. held
// receives the method of each delayed response. holds is called by several requests at once.
func (g *responseGate) delayResponses(holds func(*http.Request) bool) (held <-chan string, free func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	freed := make(chan struct{})
	g.matches, g.released, g.delayed = holds, freed, make(chan string, 100)
	return g.delayed, sync.OnceFunc(func() { close(freed) })
}

func (g *responseGate) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	g.mu.Lock()
	holds, freed, held := g.matches, g.released, g.delayed
	g.mu.Unlock()
	if holds == nil || !holds(r) {
		g.next.ServeHTTP(w, r)
		return
	}
	kept := httptest.NewRecorder()
	g.next.ServeHTTP(kept, r)
	held <- r.Method
	<-freed
	if g.unavailable.Load() {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	for name, values := range kept.Header() {
		w.Header()[name] = values
	}
	w.WriteHeader(kept.Code)
	_, _ = w.Write(kept.Body.Bytes())
}

// isRefetch reports whether an open page sent the request by itself.
func isRefetch(r *http.Request) bool { return r.Header.Get("X-Live") == "1" }

// isPost returns a function that matches posts to a path, and refetches, because a list that is just being replaced
// has plain links for a short time.
func isPost(what string) func(*http.Request) bool {
	return func(r *http.Request) bool {
		return r.Method == http.MethodPost && r.URL.Path == what || isRefetch(r)
	}
}

// window returns a browser behind a responseGate, signed in as who.
func (o *fixture) window(who string) (*browsertest.Page, *responseGate) {
	o.t.Helper()
	browsertest.Require(o.t)
	g := &responseGate{next: o.server.Config.Handler}
	server := httptest.NewServer(g)
	o.t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	p := browsertest.Open(o.t, server.URL, browsertest.Look{})
	p.Goto("/let-in/" + who)
	return p, g
}

// newWindow returns a panel with a ticket that clara submitted, and a browser behind a responseGate that is signed in as
// anna.
func newWindow(t *testing.T, subject, body string) (*fixture, ticket.Number, *browsertest.Page, *responseGate) {
	t.Helper()
	browsertest.Require(t)
	o := newFixture(t)
	n := o.submit("clara", subject, body)
	p, g := o.window("anna")
	return o, n, p, g
}

// openTicket opens a ticket in a browser, in the list of all tickets.
func openTicket(p *browsertest.Page, n ticket.Number) {
	p.Goto("/desk/tickets/" + string(n) + "?queue=all")
	p.SeeOn("#ticket .number", string(n))
	p.Settle()
}

// openAlone opens a ticket beside the queue of the agent.
func openAlone(p *browsertest.Page, n ticket.Number) {
	p.Goto("/desk/tickets/" + string(n))
	p.SeeOn("#ticket .number", string(n))
	p.Settle()
}

// send writes a message of the kind that has the shortcut, and sends it.
func send(p *browsertest.Page, shortcut, text string) {
	p.Press(shortcut)
	p.Type(text)
	p.Press("Control+Enter")
}

// holdMessages keeps the time from passing in which messages on the open page can be undone, so that a slow machine doesn't send what a
// test is about to undo. The returned function lets it pass at once.
func holdMessages(p *browsertest.Page) (release func()) {
	browsertest.Value[bool](p, `(() => {
		const held = window.held = new Map(), set = window.setTimeout, clear = window.clearTimeout;
		let id = 0;
		window.setTimeout = (f, delay, ...of) => delay === 5000 ? (held.set(--id, () => f(...of)), id) : set(f, delay, ...of);
		window.clearTimeout = (id) => void (held.delete(id) || clear(id));
		return true;
	})()`)
	return func() {
		browsertest.Value[bool](p, `([...window.held.values()].forEach((pass) => pass()), window.held.clear(), true)`)
	}
}

func TestWindow_saysWhoTookTheTicketFirst(t *testing.T) {
	o, n, p, g := newWindow(t, "Whose is it?", "Not assigned yet.")
	openAlone(p, n)
	_, free := g.delayResponses(isRefetch)
	t.Cleanup(free)
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbAssign})
	p.Forgive("409")
	p.Press("a")
	p.SeeOn("#said", "Bert Agent has this ticket now")
	p.SeeOn(".ticket-facts", "open")
}

func TestWindow_lateAnswerStaysWithItsTicket(t *testing.T) {
	o, first, p, g := newWindow(t, "The first ticket", "One.")
	second := o.submit("carl", "The second ticket", "Two.")
	openTicket(p, first)
	held, free := g.delayResponses(isPost("/desk/tickets/" + string(first) + "/replies"))
	t.Cleanup(free)
	send(p, "r", "For Clara only.")
	for <-held != http.MethodPost {
	}
	p.ClickOn(`#rows [data-number="` + string(second) + `"]`)
	p.SeeOn("#ticket-head", "The second ticket")
	free()
	p.SeeOn("#said", string(first)+": Reply sent.")
	p.SeeOn("#ticket-head", "The second ticket")
	p.SeeOn("#conversation", "Two.")
	for _, form := range browsertest.Value[[]string](p, `[...document.querySelectorAll("#ticket form[method=post]")].map(f => f.getAttribute("action"))`) {
		if !strings.HasPrefix(form, "/desk/tickets/"+string(second)+"/") {
			t.Errorf("beside the second ticket stands a form of another: %s", form)
		}
	}
	p.Goto("/desk/tickets/" + string(first))
	p.SeeOn("#conversation", "For Clara only.")
	if left := browsertest.Value[string](p, `document.querySelector("#body-reply").value`); left != "" {
		t.Errorf("what was sent is offered to be sent again: %q", left)
	}
}

func TestWindow_lateRefetchStaysWithItsTicket(t *testing.T) {
	o, first, p, g := newWindow(t, "The first ticket", "One.")
	second := o.submit("carl", "The second ticket", "Two.")
	openTicket(p, first)
	held, free := g.delayResponses(func(r *http.Request) bool { return isRefetch(r) && r.URL.Path == "/desk/tickets/"+string(first) })
	t.Cleanup(free)
	o.ask("bert", desk.Request{Number: first, Verb: ticket.VerbNote, Body: "Between us."})
	<-held
	p.ClickOn(`#rows [data-number="` + string(second) + `"]`)
	p.SeeOn("#ticket-head", "The second ticket")
	free()
	p.Settle()
	p.SeeOn("#ticket-head", "The second ticket")
	p.SeeOn("#conversation", "Two.")
}

func TestWindow_lateFailureIsShown(t *testing.T) {
	o, first, p, g := newWindow(t, "The first ticket", "One.")
	second := o.submit("carl", "The second ticket", "Two.")
	openTicket(p, first)
	held, free := g.delayResponses(isPost("/desk/tickets/" + string(first) + "/replies"))
	t.Cleanup(free)
	g.unavailable.Store(true)
	p.Forgive("503", "[object Object]")
	send(p, "r", "Not lost.")
	for <-held != http.MethodPost {
	}
	p.ClickOn(`#rows [data-number="` + string(second) + `"]`)
	p.SeeOn("#ticket-head", "The second ticket")
	free()
	p.SeeOn("#said", string(first)+": That failed. What you typed is saved.")
	p.ClickOn(`#rows [data-number="` + string(first) + `"]`)
	p.SeeOn("#ticket-head", "The first ticket")
	p.Until("the words are back", `document.querySelector("#body-reply").value === "Not lost."`)
}

func TestWindow_everyRefetchIsMade(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n, other := o.submit("clara", "A busy ticket", "One."), o.submit("carl", "Another ticket", "Two.")
	p, g := o.window("anna")
	openAlone(p, n)
	// The list is fetched once a second at most.
	browsertest.Value[bool](p, `new EventSource("/desk/live").addEventListener("ticket",
		(event) => { if (event.data === "`+string(other)+`") setTimeout(() => { document.body.dataset.heard = 1; }, 1500); }), true`)
	held, free := g.delayResponses(func(r *http.Request) bool { return isRefetch(r) && r.URL.Path == "/desk" })
	t.Cleanup(free)
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Between us."})
	<-held // the list is being fetched, and the ticket is to be fetched next
	o.ask("bert", desk.Request{Number: other, Verb: ticket.VerbNote, Body: "Afterwards."})
	p.Until("the list is to be fetched again, after the ticket", `document.body.dataset.heard`)
	free()
	p.SeeOn("#conversation", "Between us.")
}

// TestWindow_closedTicketHasNoRecipients, also if an update from before the closure arrives late.
func TestWindow_closedTicketHasNoRecipients(t *testing.T) {
	o, n, p, _ := newWindow(t, "The last ticket", "Please.")
	openAlone(p, n)
	earlier := browsertest.Value[string](p, `(() => { const part = document.querySelector("#composer-recipients"); part.setAttribute("hx-swap-oob", "true"); return part.outerHTML; })()`)
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbClose})
	p.Goto("/desk/tickets/" + string(n))
	p.SeeOn("#ticket-head", "closed")
	p.Settle()
	browsertest.Value[any](p, `htmx.swap("#composer", `+strconv.Quote(earlier)+`, { swapStyle: "none" }), null`) // an error would be logged
	p.Until("it has arrived", `document.querySelector("#composer-recipients").textContent.includes("To:")`)
	if browsertest.Value[bool](p, `document.querySelector("#composer-recipients").checkVisibility()`) {
		t.Error("a closed ticket shows to whom messages go")
	}
}

func TestWindow_questionOutlivesAnUpdate(t *testing.T) {
	o, n, p, _ := newWindow(t, "The last ticket", "Please.")
	openAlone(p, n)
	p.ClickOn(".actions .danger")
	p.SeeOn("#confirm", "permanently?")
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbAssign})
	p.SeeOn("#conversation", "Bert Agent took the ticket")
	p.Click("Yes, do it")
	p.SeeOn("#ticket-head", "closed")
}

// TestWindow_wordsUnderAQuestionAreNotSeen: an open dialog covers what arrives.
func TestWindow_wordsUnderAQuestionAreNotSeen(t *testing.T) {
	o, n, p, _ := newWindow(t, "The last ticket", "Please.")
	openAlone(p, n)
	p.ClickOn(".actions .danger")
	p.SeeOn("#confirm", "permanently?")
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Between us."})
	p.SeeOn("#conversation", "Between us.")
	p.Click("Yes, do it")
	p.SeeOn("#said", "Bert Agent replied in the meantime, and the ticket was not closed")
}

// TestWindow_showsWhoWritesTheirOwnWords, however long the conversation is and whatever stands below it.
func TestWindow_showsWhoWritesTheirOwnWords(t *testing.T) {
	_, n, p, _ := newWindow(t, "A long story", strings.Repeat("Once more.\n", 60))
	openAlone(p, n)
	p.Press("n")
	p.Type("Seen.")
	browsertest.Value[int](p, `[...document.querySelectorAll("#ticket-body, .ticket-main")].map(e => e.scrollTop = 0).length`) // reads from the start
	p.Press("Control+Enter")
	p.SeeOn("#conversation", "Seen.")
	p.Until("the note stands above the composer", `(() => {
		const note = [...document.querySelectorAll(".said.note")].at(-1).getBoundingClientRect();
		return note.top > 0 && note.bottom <= document.querySelector("#composer").getBoundingClientRect().top;
	})()`)
}

// TestWindow_noteIsFollowedByNotes, though a reply has been begun and a colleague changes the ticket's status. But the
// next keys are the panel's.
func TestWindow_noteIsFollowedByNotes(t *testing.T) {
	o, n, p, _ := newWindow(t, "My parcel is late", "Where is it?")
	openAlone(p, n)
	p.Press("r")
	p.Type("Dear Clara,")
	p.Press("Escape")
	send(p, "n", "She is furious.")
	p.SeeOn("#conversation", "She is furious.")
	p.Until("the next words are a note, too", `document.activeElement.id === "ticket-body" && document.querySelector("#mode-note").checked`)
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbResolve, Body: "Solved."})
	p.SeeOn("#ticket-head", "resolved")
	p.Settle()
	p.Until("a new status keeps the kind of message", `document.querySelector("#composer").dataset.status === "resolved" && document.querySelector("#mode-note").checked`)
}

// TestWindow_saysARefusalOnce, beside what was typed.
func TestWindow_saysARefusalOnce(t *testing.T) {
	_, n, p, _ := newWindow(t, "My parcel is late", "Where is it?")
	openAlone(p, n)
	send(p, "r", "Order {{ticket.order}} is on its way.")
	p.SeeOn("#body-reply-error", "still contains {{ticket.order}}")
	p.Settle()
	p.Until("nothing else says it", `document.querySelector("#said").textContent === ""`)
	p.Until("nothing is on its way", `document.querySelector("#sending").children.length === 0`)
}

// TestWindow_takesBackThatTheDeskIsAway once it answers.
func TestWindow_takesBackThatTheDeskIsAway(t *testing.T) {
	o, n, p, _ := newWindow(t, "My parcel is late", "Where is it?")
	openAlone(p, n)
	// At once, for a live update may take it back.
	if said := browsertest.Value[string](p, `(htmx.trigger(document.querySelector("#write-reply"), "htmx:sendError", {}), document.querySelector("#said").textContent)`); !strings.Contains(said, "could not be reached") {
		t.Errorf("it says %q", said)
	}
	o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Back again."})
	p.SeeOn("#conversation", "Back again.")
	p.Until("it is taken back", `!document.querySelector("#said").textContent.includes("reached")`)
}

func TestWindow_showsTheTicketThatWasChosenLast(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	slow, last := o.submit("clara", "The slow ticket", "One."), o.submit("carl", "The last ticket", "Two.")
	p, g := o.window("anna")
	p.Goto("/desk?queue=all")
	p.SeeOn("#rows", "The slow ticket")
	p.Settle()
	held, free := g.delayResponses(func(r *http.Request) bool { return !isRefetch(r) && r.URL.Path == "/desk/tickets/"+string(slow) })
	t.Cleanup(free)
	p.Forgive("net::ERR_ABORTED", "htmx:sendAbort", "htmx:afterRequest") // the slow one has been aborted
	p.ClickOn(`#rows [data-number="` + string(slow) + `"]`)
	<-held
	p.ClickOn(`#rows [data-number="` + string(last) + `"]`)
	p.SeeOn("#ticket-head", "The last ticket")
	free()
	p.Settle()
	p.SeeOn("#ticket-head", "The last ticket")
	p.At("/desk/tickets/" + string(last) + ".*")
}

// TestWindow_lateAnswerLeavesTheComposerAlone: the ticket is taken, and its answer comes while the first words are typed.
func TestWindow_lateAnswerLeavesTheComposerAlone(t *testing.T) {
	_, n, p, g := newWindow(t, "Taken and answered", "Quickly, please.")
	openAlone(p, n)
	held, free := g.delayResponses(func(r *http.Request) bool { return strings.HasSuffix(r.URL.Path, "/assignment") })
	t.Cleanup(free)
	p.Press("a")
	<-held
	p.SeeOn("#conversation", "Anna Agent took the ticket") // by the live update, before the response
	p.Press("r")
	p.Type("We have ")
	free()
	p.SeeOn("#said", "The ticket is assigned to you.")
	p.Type("more boxes.")
	p.Press("Control+Enter")
	p.SeeOn("#conversation", "We have more boxes.")
}

// TestWindow_clickOutlivesAnUpdate: a click is one only on what was there when the button was pressed.
func TestWindow_clickOutlivesAnUpdate(t *testing.T) {
	o, n, p, g := newWindow(t, "A busy ticket", "One.")
	openTicket(p, n)
	box := "#item-" + string(n) + " > input"
	p.ClickOnWhile(box, func() {
		held, free := g.delayResponses(isRefetch)
		o.ask("bert", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Between us."})
		<-held
		free()
		p.Settle()
	})
	p.SeeOn(".bulk-count", "1 ticket selected")
	p.SeeOn("#rows", "Between us.")
	p.SeeOn("#conversation", "Between us.")
	p.Until("it stays selected", `document.querySelector("`+box+`").checked`)
}

// TestWindow_unseenReplyStopsWhatIsSentOverIt: the requester writes while the agent does, and the page does not show it yet.
func TestWindow_unseenReplyStopsWhatIsSentOverIt(t *testing.T) {
	o, n, p, g := newWindow(t, "Where is it?", "My parcel.")
	openAlone(p, n)
	_, free := g.delayResponses(isRefetch)
	t.Cleanup(free)
	p.Press("e")
	p.Type("It must have arrived.")
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "No! The wrong one came."})
	p.Press("Control+Enter")
	p.SeeOn("#write-resolve .problem", "Clara Customer replied in the meantime, and this was not sent.")
	p.SeeOn("#write-resolve .unseen", "No! The wrong one came.")
	if typed := browsertest.Value[string](p, `document.querySelector("#body-resolve").value`); typed != "It must have arrived." {
		t.Errorf("typed was %q", typed)
	}
	p.SeeOn("#write-resolve .send", "Send anyway")
	if status := o.ticket(n).Ticket.Status; status != ticket.StatusNew {
		t.Errorf("the ticket is %s", status)
	}
	p.Until("no key is taken for a word", onTicket)
	p.Press("e")
	p.Press("Control+Enter")
	p.Until("the next words are not sent over anything", `document.querySelector("#sending").children.length === 1 &&
		!document.querySelector(".unseen") && document.querySelector(".send-resolve").textContent === "Send and resolve"`)
	p.SeeOn(".ticket-facts", "resolved")
	p.SeeOn("#conversation", "It must have arrived.")
}

// TestWindow_liveWordsCountOnceTheyWereInView: neither hidden below nor under a question do they count as seen.
func TestWindow_liveWordsCountOnceTheyWereInView(t *testing.T) {
	o, n, p, _ := newWindow(t, "A long story", strings.Repeat("It goes on and on.\n", 200))
	openAlone(p, n)
	p.ClickOn("#conversation .rest > summary")
	const seen = `document.querySelector("#write-reply [name=seen]").value`
	before := browsertest.Value[string](p, seen)
	browsertest.Value[bool](p, `document.querySelector("#ticket-body").scrollTo(0, 0), true`)
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "And then it stopped."})
	p.SeeOn("#said", "Clara Customer wrote.")
	p.Until("the new words are there", `document.querySelector("#conversation").textContent.includes("And then it stopped.")`)
	// Two looks of the page find nothing new in view.
	browsertest.Value[bool](p, `setTimeout(() => { document.body.dataset.looked = 1; }, 1600), true`)
	p.Until("the page has looked", `document.body.dataset.looked`)
	if after := browsertest.Value[string](p, seen); after != before {
		t.Errorf("words below the edge count as seen: %s, before %s", after, before)
	}
	browsertest.Value[bool](p, `document.querySelector("#conversation > :last-child").scrollIntoView(), true`)
	p.Until("they count as seen", seen+` > `+before+` && document.querySelector('form[action*="/closure"] [name=seen]').value === `+seen)
	send(p, "r", "I see.")
	p.SeeOn("#conversation", "I see.")
}

// TestWindow_closureIsRefusedOverAnUnseenReply and can be done once that has been read.
func TestWindow_closureIsRefusedOverAnUnseenReply(t *testing.T) {
	o, n, p, g := newWindow(t, "A long story", strings.Repeat("It goes on and on.\n", 200))
	openAlone(p, n)
	_, free := g.delayResponses(isRefetch)
	t.Cleanup(free)
	browsertest.Value[bool](p, `document.querySelector("#ticket-body").scrollTo(0, 0), true`)
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Wait!"})
	closes := func() {
		p.ClickOn(`form[action*="/closure"] button`)
		p.ClickOn(`#confirm button[value=yes]`)
	}
	closes()
	p.SeeOn("#said", "Clara Customer replied in the meantime, and the ticket was not closed")
	free()
	p.Until("the words have been in view", `document.querySelector('form[action*="/closure"] [name=seen]').value === document.querySelector("#conversation").dataset.seen`)
	closes()
	p.SeeOn(".ticket-facts", "closed")
}

// TestWindow_selectedRowsStayAsTheyWereSeen when they were selected, whatever a live update brings.
func TestWindow_selectedRowsStayAsTheyWereSeen(t *testing.T) {
	o, n, p, _ := newWindow(t, "A ticket to be closed", "One.")
	p.Goto("/desk?queue=all")
	p.SeeOn("#rows", "A ticket to be closed")
	p.Settle()
	p.ClickOn(`#rows input[value="` + string(n) + `"]`)
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Not yet!"})
	p.SeeOn("#rows", "Not yet!")
	closes := func() {
		p.ClickOn(`.bulk button[value=close]`)
		p.ClickOn(`#confirm button[value=yes]`)
	}
	closes()
	p.SeeOn("#report", "someone has replied since you loaded this list")
	if o.closed(n) {
		t.Fatal("it is closed")
	}
	p.Until("the list is fetched anew", `document.querySelector('[name="seen-`+string(n)+`"]').value > 2`)
	p.Until("the row can be selected", `(() => { const box = document.querySelector('#rows input[value="`+string(n)+`"]'); if (!box.checked) box.click(); return box.checked; })()`)
	closes()
	p.SeeOn("#report", "1 ticket closed")
}
