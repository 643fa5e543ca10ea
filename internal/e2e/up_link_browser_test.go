package e2e_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// Whoever has used one of up's links up finds another by what the page says, without a password.
func TestUp_saysHowToGetANewLink(t *testing.T) {
	t.Parallel()
	browsertest.Require(t)
	u := up(t, upDir(t))
	link := u.find(t, `agent's link +(http://[0-9.:]+/link/\S+) +agent@demo\.example`)
	site := u.find(t, `Website +(http://[0-9.:]+)/`)
	signIn := func(p *browsertest.Page, link string) {
		p.Goto(link)
		p.ClickOn(`main button[type="submit"]`)
		p.At(`/desk`)
	}
	signIn(browsertest.Open(t, site, browsertest.Look{}), link)
	for _, look := range []browsertest.Look{{}, {Width: 360, Height: 800, Dark: true}} {
		p := browsertest.Open(t, site, look)
		p.Forgive("404")
		p.Goto(link)
		p.See("This link is no longer valid", "choose Email me a link instead")
		looksWell(t, p)
		p.ClickOn(`main a[href="/dev/mail"]`)
		p.See("Every email that this desk sends is delivered here")
		p.Goto(link)
		p.ClickOn(`main a[href="/sign-in"]`)
		p.Fill("Email address", "agent@demo.example")
		p.Click("Email me a link instead")
		p.See("Check your inbox")
		looksWell(t, p)
		p.ClickOn(`main a[href="/dev/mail"]`)
		p.See("Every email that this desk sends is delivered here")
		eventually(t, "the mail is in the mailbox", func() (bool, string) {
			p.Goto("/dev/mail?to=agent@demo.example")
			return browsertest.Value[bool](p, `document.querySelector("ol.mails a") !== null`), p.Read("main")
		})
		p.ClickOn("ol.mails a")
		p.Until("the mail is open", `document.body.innerText.includes("/link/")`)
		signIn(p, browsertest.Value[string](p, `document.body.innerText.match(/http\S+\/link\/\S+/)[0]`))
	}
}

func looksWell(t *testing.T, p *browsertest.Page) {
	t.Helper()
	if found := append(p.Accessibility(), p.Overflow()...); len(found) > 0 {
		t.Error(found)
	}
}
