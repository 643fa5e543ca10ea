package incoming_test

import (
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
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
