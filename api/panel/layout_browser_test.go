package panel_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// talkedOver is a ticket with a long conversation, whose subject, people and messages take much room.
func (o *fixture) talkedOver() ticket.Number {
	o.t.Helper()
	n := o.submit("clara", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft: Lieferverzögerung", strings.Repeat("Der Glaskrug ist gesprungen. ", 30))
	o.whom(ticket.VerbAddParticipant, n, "donaudampfschifffahrtselektrizitaetenhauptbetriebswerk@unterbeamtengesellschaft.example", "نورة بنت عبد الرحمن آل سعود")
	o.ask("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: strings.Repeat("Please send a photo of the broken jug. ", 30)})
	o.ask("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: strings.Repeat("مرحبا، الكأس مكسورة. ", 60)})
	if _, err := o.Workspace.SaveCanned(o.t.Context(), o.People["anna"], desk.CannedReply{Title: "Greeting", Body: "Hello."}); err != nil {
		o.t.Fatal(err)
	}
	return n
}

// conversationShown is how many pixels of the conversation's height can be seen.
const conversationShown = `(() => {
	const area = (selector) => document.querySelector(selector).getBoundingClientRect(), of = area("#conversation"), body = area("#ticket-body");
	return Math.min(of.bottom, body.bottom, area("#composer").top, innerHeight) - Math.max(of.top, body.top, 0);
})()`

func TestLayout_theConversationHasHalfOfTheRoom(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.talkedOver()
	p, _ := o.window("anna")
	for what, c := range map[string]struct {
		look browsertest.Look
		room string
	}{
		"a phone":            {browsertest.Look{Width: 390, Height: 844}, "innerHeight"},
		"a phone, no script": {browsertest.Look{Width: 390, Height: 844, NoScript: true}, "innerHeight"},
		"a window":           {browsertest.Look{Width: 1440, Height: 900}, `document.querySelector("#ticket").offsetHeight`},
	} {
		p.Look(c.look)
		openTicket(p, n)
		if shown, room := browsertest.Value[float64](p, conversationShown), browsertest.Value[float64](p, c.room); shown < room/2 {
			t.Errorf("%s shows %.0f of %.0f pixels", what, shown, room)
		}
		for _, wide := range p.Overflow() {
			t.Errorf("%s: %s", what, wide)
		}
	}
}

// On a phone the composer is one line until it is used. What is in it is never hidden.
func TestLayout_theComposerOfAPhoneUnfoldsWhenItIsUsed(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.talkedOver()
	p, _ := o.window("anna")
	const seen = `[...document.querySelectorAll("#composer-recipients, #write-reply :is(.attach-choose, .send)")].every((e) => e.checkVisibility({ visibilityProperty: true }) && e.offsetHeight > 0)`
	for what, still := range map[string]bool{"with scripts": false, "without": true} {
		p.Look(browsertest.Look{Width: 390, Height: 844, NoScript: still})
		openTicket(p, n)
		if browsertest.Value[bool](p, seen) {
			t.Errorf("%s, the composer takes room before it is used", what)
		}
		p.ClickOn("#body-reply")
		p.Until(what+", it unfolds", seen)
		p.FillIn("#body-reply", "Hello.")
		p.ClickOn("#conversation .said")
		p.Until(what+", what was typed stays", `document.activeElement.id !== "body-reply" && `+seen)
	}
	p.Look(browsertest.Look{Width: 390, Height: 844})
	openTicket(p, n)
	p.FillIn("#body-reply", "")
	p.ClickOn("#conversation .said")
	p.Until("it folds", "!"+seen)
	p.SeeOn("#conversation", "مرحبا")
	if shown := browsertest.Value[float64](p, conversationShown); shown < 422 {
		t.Errorf("%.0f pixels of the conversation are seen", shown)
	}
	p.CheckReadable("desk-composer")
}
