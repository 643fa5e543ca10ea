package panel_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestPeople_inABrowser adds someone from an open page, with names that are long or foreign, and checks that the composer says
// at once to whom a reply goes.
func TestPeople_inABrowser(t *testing.T) {
	o := newFixture(t)
	n := o.submit("clara", "Where is my parcel?", "It was due on Monday.")
	o.whom(ticket.VerbAddParticipant, n, "wolfeschlegelsteinhausenbergerdorff.procurement.department@a-very-long-domain-name.example", "Hubert Blaine Wolfeschlegelsteinhausenbergerdorff the Elder of Philadelphia")
	o.whom(ticket.VerbAddParticipant, n, "noura@example.com", "نورة بنت عبد الرحمن")
	p, _ := o.window("anna")
	p.Goto("/desk/tickets/" + string(n))
	p.See("Cc:", "noura@example.com")
	p.ClickOn("#participants-form summary")
	p.FillIn("#participants-address", "taro@example.com")
	p.FillIn("#participants-name", "山田 太郎")
	p.ClickOn("#participants-form button")
	p.SeeOn("#composer-recipients", "taro@example.com")
	p.SeeOn("#ticket-side", "山田 太郎")
	p.CheckReadable("panel-people")
	const cc = `getComputedStyle(document.querySelector("#composer-recipients .cc")).display`
	p.ClickOn(`#write-reply [value="requester"]`)
	p.Until("a reply to the requester alone goes to no one else", cc+` === "none"`)
	p.ClickOn(`#mode-resolve`)
	p.Until("and one of another kind to all", cc+` === "inline"`)
	p.Goto("/desk/new")
	p.CheckReadable("panel-new-ticket")
	p.FillIn("#address", "wolfeschlegelsteinhausenbergerdorff@a-very-long-domain-name.example")
	p.FillIn("#subject", "Der Krug, الإبريق, 水差し")
	p.ClickOn(`input[value="in-person"]`)
	p.ClickOn("#body")
	p.Press("Control+b")
	p.Type("Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft")
	p.PasteFile("image.png", "image/png", pagetest.PNG(t, 300, 200))
	p.DropOn("#subject", strings.Repeat("sehrlangerdateiname", 8)+" مرحبا.txt", "text/plain", []byte("Words."))
	p.Until("both files are there", `document.querySelectorAll(".attached-file[data-file]").length === 2`)
	p.CheckReadable("panel-new-ticket-filled")
	p.Reload()
	p.Until("the draft is kept", `document.querySelectorAll(".attached-file[data-file]").length === 2 && document.querySelector('input[value="in-person"]').checked &&
		document.querySelector("#body").value.startsWith("**Donau")`)
	p.Click("Open ticket")
	p.SeeOn("#conversation", "in person")
	p.Until("with its files, formatted", `document.querySelectorAll("#conversation .file").length === 2 && document.querySelector("#conversation .message strong")`)
	p.Goto("/desk/new")
	p.Until("the draft is gone", `document.querySelector("#body").value === "" && !document.querySelector(".attached-file")`)
}
