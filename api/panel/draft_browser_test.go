package panel_test

import (
	"fmt"
	"net/http"
	"net/url"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// TestDraft_publicWordsGoFromKindToKind, and a note stays a note.
func TestDraft_publicWordsGoFromKindToKind(t *testing.T) {
	o, n, p, _ := newWindow(t, "My parcel is late", "Where is it?")
	openTicket(p, n)
	p.Press("n")
	p.Type("She is furious.")
	p.Press("Escape")
	p.Press("r")
	p.Until("no note becomes a reply", `document.activeElement.id === "body-reply" && document.activeElement.value === ""`)
	p.Type("Dear Clra")
	p.Press("ArrowLeft")
	p.Press("ArrowLeft")
	for _, key := range []string{"e", "i", "p", "r", "e"} {
		p.Press("Escape")
		p.Press(key)
		p.Until("the words came along to "+kindKeys[key], fmt.Sprintf(`document.activeElement.id === "body-%s" && document.activeElement.value === "Dear Clra"`, kindKeys[key]))
	}
	p.Type("a")
	p.Until("with the caret", `document.activeElement.value === "Dear Clara"`)
	p.Press("Escape")
	p.Press("n")
	p.Until("no public word becomes a note", `document.activeElement.id === "body-note" && document.activeElement.value === "She is furious."`)
	p.Reload()
	p.Until("both drafts are back, each in its kind", `document.querySelector("#body-resolve").value === "Dear Clara" &&
		document.querySelector("#body-note").value === "She is furious." && document.querySelector("#body-reply").value === ""`)
	p.Until("with the kind", `document.querySelector("#mode-resolve").checked`)
	p.Press("e")
	p.Press("Control+Enter")
	o.awaitMessages(n, "Dear Clara")
	p.Until("the note waits", `document.querySelector("#body-note").value === "She is furious."`)
}

// TestDraft_endsWithTheSession here, after what is held was sent.
func TestDraft_endsWithTheSession(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n, other := o.submit("clara", "My parcel is late", "Where is it?"), o.submit("carl", "Begun", "…")
	p, _ := o.window("anna")
	openTicket(p, other)
	p.Press("r")
	p.Type("Dear Carl, ")
	openTicket(p, n)
	p.Press("n")
	p.Type("She is furious.")
	p.Press("Escape")
	send(p, "r", "Dear Clara, ")
	p.SeeOn("#sending", string(n))
	p.ClickOn(".menu summary")
	p.Click("Sign out")
	p.At("/")
	p.Until("the page is there", `document.readyState === "complete"`)
	o.awaitMessages(n, "Dear Clara, ")
	p.Until("no words are left", noDrafts)
}

// TestDraft_outlivesASessionThatExpired for the same person alone.
func TestDraft_outlivesASessionThatExpired(t *testing.T) {
	o, n, p, _ := newWindow(t, "My parcel is late", "Where is it?")
	leave := func() { // an open page finds out by itself, or else is left
		browsertest.Value[bool](p, `(location.assign("/sign-in"), true)`)
		p.At("/sign-in.*")
		p.Settle()
	}
	begin := func() {
		openTicket(p, n)
		p.Press("r")
		p.Type("Dear Clara, ")
		o.SQL("DELETE FROM sessions")
		leave()
	}
	p.Forgive("401")
	begin()
	p.Goto("/let-in/anna")
	openTicket(p, n)
	p.Until("the words are back", `document.querySelector("#body-reply").value === "Dear Clara, "`)
	o.SQL("DELETE FROM sessions")
	leave()
	p.Goto("/let-in/bert")
	openTicket(p, n)
	p.Until("another person does not see them", noWords)
	p.Until("and not saved for another person", noDrafts)
}

// TestDraft_outlivesASessionThatWasEndedElsewhere, also what was on its way then; but not a sign-out in its own browser.
func TestDraft_outlivesASessionThatWasEndedElsewhere(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n, other := o.submit("clara", "My parcel is late", "Where is it?"), o.submit("carl", "Begun", "…")
	p, g := o.window("anna")
	p.Forgive("401")
	end := func() {
		t.Helper()
		o.browser("anna").post("/account/sign-out-everywhere", url.Values{}).wantStatus(http.StatusSeeOther)
	}
	openTicket(p, n)
	p.Press("n")
	p.Type("She is furious.")
	p.Press("Escape")
	send(p, "r", "Dear Clara, ")
	p.SeeOn("#sending", string(n))
	p.ClickOn(`#rows [data-number="` + string(other) + `"]`)
	p.SeeOn("#ticket-head .number", string(other))
	_, free := g.delayResponses(isRefetch) // which would lead to the sign-in
	t.Cleanup(free)
	end()
	p.SeeOn("#said", string(n)+": You have been signed out.")
	p.Goto("/let-in/anna")
	g.delayResponses(func(*http.Request) bool { return false })
	openTicket(p, n)
	p.Until("the words are back", `document.querySelector("#body-reply").value === "Dear Clara, " && document.querySelector("#body-note").value === "She is furious."`)
	end()
	p.Goto("/sign-in")
	p.Settle()
	p.Until("they wait", `!(`+noDrafts+`)`)
	p.Goto("/let-in/bert")
	openTicket(p, n)
	p.Until("another person does not see them", noWords)
	p.Until("and not saved for another person", noDrafts)
	p.Goto("/let-in/anna")
	openTicket(p, n)
	p.Press("n")
	p.Type("Once more.")
	_, free = g.delayResponses(isRefetch)
	t.Cleanup(free)
	end()
	browsertest.Value[bool](p, `(document.querySelector("form[action='/sign-out']").requestSubmit(), true)`)
	p.At("/|/sign-in.*")
	p.Until("no words are left", noDrafts)
	o.awaitMessages(n)
}
