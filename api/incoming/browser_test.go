package incoming_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestBrowser_deletingAsks(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	id := o.received("From: carla@client.example\r\n\r\nx", desk.IncomingResult{Status: desk.IncomingQuarantined, Reason: "refused"})
	w := browsertest.Open(t, o.server.URL, browsertest.Look{})
	w.Goto("/let-in/sam")
	w.Goto(path(id))
	for _, answer := range []string{"no", "yes"} {
		w.ClickOn("form[action$=deletion] button")
		w.SeeOn("#confirm", "Delete this email?")
		w.CheckReadable("delete-" + answer)
		w.ClickOn("#confirm button[value=" + answer + "]")
		if answer == "no" {
			w.Goto(path(id))
			w.SeeOn("main", "Release")
		}
	}
	w.SeeOn("main", "Deleted by Sam Supervisor")
}

// TestBrowser_incomingMailIsReadable in both colour schemes, wide and narrow, with long and foreign words.
func TestBrowser_incomingMailIsReadable(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	long := strings.Repeat("Donaudampfschifffahrt", 20) + " 日本語の件名 مرحبا"
	raw := "From: carla@client.example\r\nX-Long: " + strings.Repeat("x", 900) + "\r\n\r\n" + long
	id := o.received(raw, desk.IncomingResult{Status: desk.IncomingQuarantined, Reason: "refused", Detail: long})
	o.SQL(`UPDATE incoming_mails SET subject = $1, sender = $2`, long, strings.Repeat("a", 200)+"@client.example")
	w := browsertest.Open(t, o.server.URL, browsertest.Look{})
	w.Goto("/let-in/sam")
	for name, at := range map[string]string{"mails": "/desk/mail", "mail": path(id), "blocked": "/desk/mail/blocked"} {
		w.Goto(at)
		w.CheckReadable(name)
	}
}

// TestBrowser_messagesByEmailAreReadable: tables, lists and images of emails, and of Markdown beside them.
func TestBrowser_messagesByEmailAreReadable(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.wrote()
	o.reply(n, "Dear Clara,\n\n- one\n- two\n  1. eins\n  2. zwei\n\n| Artikel | 数量 |\n|---|--:|\n| Glas | 2 |\n| "+strings.Repeat("Wort", 20)+" | 3 |\n\n> quoted\n\n`code`")
	w := browsertest.Open(t, o.server.URL, browsertest.Look{})
	w.Goto("/let-in/clara")
	w.Goto("/tickets/" + string(n))
	w.CheckReadable("mail-portal")
	v := browsertest.Open(t, o.server.URL, browsertest.Look{})
	v.Goto("/let-in/anna")
	v.Goto("/desk/tickets/" + string(n))
	v.CheckReadable("mail-desk")
	for who, p := range map[string]*browsertest.Page{"clara": w, "anna": v} {
		p.Until(who+" sees bullets, numbers and the lines of tables", `(() => {
			const of = (selector, property) => [...document.querySelectorAll("#conversation .message " + selector)].map((e) => getComputedStyle(e)[property]);
			const all = (list, holds) => list.length > 1 && list.every(holds);
			return all(of("ul", "listStyleType"), (style) => style === "disc") && all(of("ol", "listStyleType"), (style) => style === "decimal") &&
				all(of("td", "borderBottomWidth"), (width) => width === "1px") && all(of("li", "display"), (display) => display === "list-item");
		})()`)
	}
}

// TestBrowser_updatesKeepWhatAReaderOpened: images of other servers, and what was unfolded.
func TestBrowser_updatesKeepWhatAReaderOpened(t *testing.T) {
	browsertest.Require(t)
	o := newFixture(t)
	n := o.wrote()
	w := browsertest.Open(t, o.server.URL, browsertest.Look{})
	w.Forgive("/i.png") // there is no such server
	w.Goto("/let-in/clara")
	w.Goto("/tickets/" + string(n))
	w.ClickOn(".remote-images a")
	const shown = `document.querySelector('#conversation img[src="https://spy.example/i.png"]') && !document.querySelector(".remote-images")`
	w.Until("the images of other servers are shown", shown)
	w.Settle() // until then images move what is to be clicked
	w.ClickOn(".message details summary")
	w.Until("the quotation is unfolded", `document.querySelector(".message details").open`)
	w.ClickOn(".files-within summary")
	w.Until("the list of images is unfolded", `document.querySelector(".files-within").open`)
	o.reply(n, "We look into it.")
	w.SeeOn("#conversation", "We look into it.")
	w.Until("they still are", shown)
	w.Until("what was unfolded still is", `document.querySelector(".message details").open && document.querySelector(".files-within").open`)
}

// reply sends a reply of Anna.
func (o *fixture) reply(n ticket.Number, body string) {
	o.t.Helper()
	r := desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: body, Format: desk.FormatMarkdown}
	if outcome := o.Command(o.People["anna"], r); outcome.Refused {
		o.t.Fatal(outcome)
	}
}
