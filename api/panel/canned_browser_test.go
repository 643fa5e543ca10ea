package panel_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// TestCannedReplies_areInsertedOnEnterOnly, at the caret, in every kind of message.
func TestCannedReplies_areInsertedOnEnterOnly(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.submit("clara", "My parcel is late", "Where is it?")
	for title, body := range map[string]string{"Greeting": "Hello {{requester.name}}.", "Returns": "Send it back.", "Refund": "The money is on its way."} {
		if _, err := o.Workspace.SaveCanned(t.Context(), o.People["anna"], desk.CannedReply{Title: title, Body: body}); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := o.window("anna")
	for key, kind := range kindKeys {
		field := `document.querySelector("#body-` + kind + `")`
		openTicket(p, n)
		p.Press(key)
		p.Press("Control+a")
		p.Type("Well,  yes")
		for range " yes" {
			p.Press("ArrowLeft")
		}
		p.Press("Escape")
		p.Press("c")
		p.SeeOn("#canned-list", "Greeting")
		p.SeeOn("#canned-list", "Refund")
		p.Press("ArrowDown")
		p.Type("gree")
		p.Until("one is left", `document.querySelectorAll("#canned-list [role=option]").length === 1`)
		p.SeeOn("#canned-preview", "Hello Clara Customer.")
		p.Until("nothing is inserted yet", field+`.value === "Well,  yes"`)
		if faults := p.Accessibility(); len(faults) > 0 {
			t.Errorf("the list: %v", faults)
		}
		p.Press("Escape")
		p.Until("Escape leads back to the untouched words", `document.activeElement === `+field+` && `+field+`.value === "Well,  yes"`)
		p.Press("Escape")
		p.Press("c")
		p.Type("gree")
		p.Press("Enter")
		p.Until("it stands at the caret", field+`.value === "Well, Hello Clara Customer. yes"`)
		p.Until("the words have the focus", `document.activeElement === `+field)
		p.Type("!")
		p.Until("behind what was inserted", field+`.value === "Well, Hello Clara Customer.! yes"`)
		p.Click("Canned reply…")
		p.Click("Refund")
		p.Until("a click inserts, too", field+`.value.includes("The money is on its way.")`)
		p.Press("Control+a")
		p.Press("Delete")
	}
}

// What staff save may have long words, of any script.
func TestSaved_isReadableWhateverItsWords(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	const long = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
	for _, c := range []desk.CannedReply{
		{Title: long, Body: "Sehr geehrte Damen und Herren der " + long + ",\n\nRechtsschutzversicherungsgesellschaften {{requester.name}}", Shared: true},
		{Title: "الرد على العملاء", Body: "مرحبا {{requester.name}}، شكرا جزيلا لكم على المساعدة."},
	} {
		if _, err := o.Workspace.SaveCanned(t.Context(), o.People["anna"], c); err != nil {
			t.Fatal(err)
		}
	}
	for _, f := range []desk.SavedFilter{
		{Name: long[:60], Query: "q=" + long + "&queue=all", Shared: true}, {Name: "الكؤوس المكسورة", Query: "priority=urgent&queue=all"},
	} {
		if _, err := o.Workspace.SaveFilter(t.Context(), o.People["anna"], f); err != nil {
			t.Fatal(err)
		}
	}
	p, _ := o.window("anna")
	for _, name := range []string{"canned", "filters"} {
		p.Goto("/desk/" + name)
		p.CheckReadable(name)
		p.Look(browsertest.Look{Width: 390, Height: 844})
		p.ClickOn(".card-ends a")
		p.Until("the form is in view", `(() => { const form = document.querySelector("#edit-title + form"); const { top } = form?.getBoundingClientRect() ?? {}; return top > 0 && top < innerHeight - 100; })()`)
		p.CheckReadable(name + "-edited")
	}
}
