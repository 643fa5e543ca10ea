package portal_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/markup/markuptest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// TestWords_areFormattedByButtonsAndKeys, previewed, and pasted from elsewhere.
func TestWords_areFormattedByButtonsAndKeys(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	p := o.window(t, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/" + string(n))
	value := func(want string) {
		t.Helper()
		p.Until("the text is "+want, `document.querySelector("#body").value === `+"`"+strings.ReplaceAll(want, "`", "\\`")+"`")
	}
	p.ClickOn("#body")
	p.Press("Control+b")
	p.Type("dent")
	value("**dent**")
	p.Until("all of it is selected", `document.querySelector("#body").select() === undefined`)
	p.Press("Control+i")
	value("***dent***")
	p.Press("Control+i")
	value("**dent**")
	p.ClickOn(`[data-mark="list"]`)
	value("- **dent**")
	p.ClickOn(`[data-mark="preview"]`)
	p.Until("it is previewed", `document.querySelector("#preview-body li strong")?.textContent === "dent" && document.querySelector("#body").hidden`)
	p.CheckReadable("words-preview")
	p.ClickOn(`[data-mark="preview"]`)
	p.Until("it is written on", `!document.querySelector("#body").hidden && document.activeElement.id === "body"`)
	p.FillIn("#body", "")
	p.Until("HTML is pasted", `(() => {
		const data = new DataTransfer();
		data.setData("text/html", "<p>A <b>bold</b> <a href='https://a.example/'>link</a><script>pwned()</`+`script></p>");
		data.setData("text/plain", "A bold link");
		document.querySelector("#body").dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
		return true;
	})()`)
	value("A **bold** [link](https://a.example/)")
	p.Click("Send")
	p.Until("it is shown", `document.querySelector(".bubble:last-child .message strong")?.textContent === "bold" && document.querySelector(".bubble:last-child .message a").relList.contains("noopener")`)
	p.Until("it is no draft any more", `document.querySelector("#body").value === ""`)
}

// TestAttacks_areHarmlessOnThePage: nothing of a message runs, loads or leaves its place.
func TestAttacks_areHarmlessOnThePage(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	for i, attack := range markuptest.Attacks() {
		format := desk.Formats()[i%2]
		text := strings.ReplaceAll(strings.ToValidUTF8(attack.Text, ""), "\x00", "")
		o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: text, Format: format})
	}
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Format: desk.FormatMarkdown, Body: long})
	p := o.window(t, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/" + string(n)) // the window fails the test for scripts that fail, and for what the page's policy refuses
	p.Until("all of them are shown", `document.querySelectorAll(".bubble .message").length >= 60`)
	p.Until("nothing ran", `typeof pwned === "undefined" && !document.querySelector(".message :is(script, style, form, iframe, img)")`)
	p.Until("a long one is folded", `document.querySelector(".message details.rest")?.open === false`)
	html := browsertest.Value[string](p, `[...document.querySelectorAll(".message")].map((m) => m.innerHTML).join("\n")`)
	for _, fault := range markuptest.Faults(html, "/tickets/") {
		t.Error(fault)
	}
}

// TestWords_ofAllKindsAreReadable on wide and narrow screens, in both colour modes.
func TestWords_ofAllKindsAreReadable(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "hers")
	o.command("anna", desk.Request{Number: n, Verb: ticket.VerbAgentReply, Format: desk.FormatMarkdown, Body: kinds})
	o.command("clara", desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Format: desk.FormatMarkdown, Body: kinds})
	p := o.window(t, browsertest.Look{})
	p.Goto("/let-in/clara")
	p.Goto("/tickets/" + string(n))
	p.Until("it is shown", `document.querySelectorAll(".message table").length === 2`)
	p.CheckReadable("words-ticket")
}

var long = strings.Repeat(strings.Repeat("Many words. ", 40)+"\n\n", 20)

var kinds = "# Was geschah\n\nDas Paket kam mit einer **Delle**, siehe HM-7Q2K9XM4TD und https://track.example/" + strings.Repeat("abcdefghij", 20) + ".\n\n" +
	"Rindfleischetikettierungsüberwachungsaufgabenübertragungsgesetz" + strings.Repeat("x", 80) + "\n\n" +
	"1. erstens *kursiv*\n2. zweitens `code`\n   - [x] fertig\n   - [ ] offen\n\n> Ein Zitat.\n>\n> > Darin noch eines.\n\n" +
	"| Teil | Beschreibung | Lager | Gewicht | Höhe | Breite | Tiefe | Farbe | Preis |\n|:--|:--|:--|--:|--:|--:|--:|:-:|--:|\n| Griff | aus Messing | Hamburg | 1.20 kg | 10 cm | 20 cm | 30 cm | gelb | 12.00 |\n\n" +
	"```\nfunc main() { fmt.Println(\"" + strings.Repeat("lang ", 40) + "\") }\n```\n\nمرحبا، وصل **الطرد** مكسورا.\n\n- שלום עולם\n- 日本語の文章です。\n"
