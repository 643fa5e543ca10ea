package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestLetter_ofAnEscalationHoldsALinkForItsReader(t *testing.T) {
	d := openUnder(t, ladder)
	n, start := d.broken()
	d.step(ticket.StepRequest{Number: n, Due: start.Add(time.Hour)})
	// A link counts from when the rung fell due: a mail that comes a day late has a day less.
	l := d.letter(n, 2)
	if l.Kind != ticket.MailEscalation || l.To.Address != d.supervisor.Address || l.Token != d.letter(n, 2).Token {
		t.Fatalf("the letter is %+v", l)
	}
	want := link.Grant{Number: n, Person: d.supervisor.ID, Expires: l.At.Add(link.EscalationLifetime)}
	g, by, err := d.ReadEscalationLink(t.Context(), l.Token)
	if g != want || by.ID != d.supervisor.ID || by.Role != ticket.RoleSupervisor || err != nil {
		t.Errorf("it is for %+v, %+v, %v", g, by, err)
	}
	if _, err := d.ReadLink(t.Context(), l.Token); fault.KindOf(err) != fault.NotFound {
		t.Errorf("it opens the conversation too: %v", err)
	}
	if _, err := d.Accounts().EndAll(t.Context(), d.supervisor.ID, account.EndTokens); err != nil {
		t.Fatal(err)
	}
	if g, _, err := d.ReadEscalationLink(t.Context(), l.Token); !link.Ended(err) || g.Number != n {
		t.Errorf("called off, it works: %v", err)
	}
}
