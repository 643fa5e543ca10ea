package portal_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/link"
)

// TestPages_thatNoLinkLeadsTo can be read, too.
func TestPages_thatNoLinkLeadsTo(t *testing.T) {
	o := newFixture(t)
	n := o.submitted("clara", "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft")
	good := o.token(n, "clara", time.Now().Add(link.Lifetime))
	w := o.window(t, browsertest.Look{})
	w.Goto("/c/" + good)
	w.FillIn("#body", "Half a reply")
	w.See("Saved as a draft")
	w.CheckReadable("by-a-link")
	o.endSessions(t, "clara")
	w.ClickOn(sendReply)
	w.See("What you typed is saved")
	w.Goto("/c/" + o.token(n, "clara", time.Now().Add(link.Lifetime)))
	w.See("What you typed is back")
	w.CheckReadable("refilled-reply")
	if _, err := o.Accounts().EndAll(t.Context(), o.People["clara"].ID, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	w.Forgive("410")
	w.Goto("/c/" + good)
	w.See("This link no longer works")
	w.CheckReadable("link-ended")
}
