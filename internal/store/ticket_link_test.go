package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestMailData_hasALinkForTheRequesterAlone(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
	for mail, l := range map[int]desk.MailData{1: d.mailData(n, 1), 2: d.mailData(n, 2), 3: d.mailData(n, 3)} {
		if l.Kind.ToStaff() != (l.Token == "") {
			t.Errorf("mail %d (%s) holds %q", mail, l.Kind, l.Token)
		}
	}
	l := d.mailData(n, 1)
	if l.Token != d.mailData(n, 1).Token {
		t.Error("the same mail has another link when it is tried again")
	}
	want := link.Grant{Number: n, Person: d.customer.ID, Expires: l.At.Add(link.Lifetime)}
	if g, err := d.ReadLink(t.Context(), l.Token); g != want || err != nil {
		t.Errorf("it opens %+v, %v; want %+v", g, err, want)
	}
}

func TestReadLink_worksUntilItExpiresOrItsPersonIsShutOut(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	secret, err := d.Secret(t.Context(), "links")
	if err != nil {
		t.Fatal(err)
	}
	token := func(g link.Grant) string { return link.New(secret, g) }
	soon := time.Now().Add(time.Hour).Truncate(time.Second)
	for name, g := range map[string]link.Grant{
		"another customer":   {Number: n, Person: d.other.ID, Expires: soon},
		"an agent":           {Number: n, Person: d.agent.ID, Expires: soon},
		"no one":             {Number: n, Person: "P-0000000000", Expires: soon},
		"no ticket":          {Number: "HM-0000000000", Person: d.customer.ID, Expires: soon},
		"an empty signature": {Expires: soon},
	} {
		if got, err := d.ReadLink(t.Context(), token(g)); fault.KindOf(err) != fault.NotFound || got != (link.Grant{}) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	good := link.Grant{Number: n, Person: d.customer.ID, Expires: soon}
	old := good
	old.Expires = time.Now().Add(-time.Second)
	if g, err := d.ReadLink(t.Context(), token(old)); !link.Expired(err) || g.Number != n {
		t.Errorf("an old one gives %+v, %v", g, err)
	}
	if _, err := d.ReadLink(t.Context(), token(good)); err != nil {
		t.Fatal(err)
	}
	if err := d.DisablePerson(t.Context(), d.customer.ID); err != nil {
		t.Fatal(err)
	}
	_, err = d.ReadLink(t.Context(), token(good))
	wantKind(t, err, fault.NotFound)
}

func TestReadLink_endsWithTheAddressThatItWentTo(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	secret, err := d.Secret(t.Context(), "links")
	if err != nil {
		t.Fatal(err)
	}
	from := func(at time.Time) string {
		return link.New(secret, link.Grant{Number: n, Person: d.customer.ID, Expires: at.Add(link.Lifetime)})
	}
	old := from(time.Now().Add(-time.Minute))
	if _, err := d.ReadLink(t.Context(), old); err != nil {
		t.Fatal(err)
	}
	if err := d.confirm(d.customer, "next@demo.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadLink(t.Context(), old); err != nil {
		t.Errorf("with a further address: %v", err)
	}
	if err := d.Accounts().SetPrimaryAddress(t.Context(), d.customer.ID, "next@demo.example"); err != nil {
		t.Fatal(err)
	}
	if _, err := d.ReadLink(t.Context(), old); err != nil {
		t.Errorf("with another primary address: %v", err)
	}
	removed := time.Now()
	if err := d.Accounts().RemoveAddress(t.Context(), d.customer.ID, d.customer.Address); err != nil {
		t.Fatal(err)
	}
	if g, err := d.ReadLink(t.Context(), old); !link.Revoked(err) || g.Number != n {
		t.Errorf("a link to the old address: %+v, %v", g, err)
	}
	if _, err := d.ReadLink(t.Context(), from(removed)); !link.Revoked(err) {
		t.Errorf("a link of the same second: %v", err)
	}
	if _, err := d.ReadLink(t.Context(), from(time.Now().Add(time.Second))); err != nil {
		t.Errorf("a link to the new address: %v", err)
	}
}

func TestMailData_ofAnEscalationHasALinkForItsReader(t *testing.T) {
	d := openUnder(t, escalatingPolicy)
	n, start := d.broken()
	d.step(ticket.StepRequest{Number: n, Due: start.Add(time.Hour)})
	// A link is valid from the escalation step's due time on: a mail sent a day late has a day less.
	l := d.mailData(n, 2)
	if l.Kind != ticket.MailEscalation || l.To.Address != d.supervisor.Address || l.Token != d.mailData(n, 2).Token {
		t.Fatalf("the mail is %+v", l)
	}
	want := link.Grant{Number: n, Person: d.supervisor.ID, Expires: l.At.Add(link.EscalationLifetime)}
	g, by, err := d.ReadEscalationLink(t.Context(), l.Token)
	if g != want || by.ID != d.supervisor.ID || by.Role != ticket.RoleSupervisor || err != nil {
		t.Errorf("it is for %+v, %+v, %v", g, by, err)
	}
	if _, err := d.ReadLink(t.Context(), l.Token); fault.KindOf(err) != fault.NotFound {
		t.Errorf("it opens the conversation too: %v", err)
	}
	if _, err := d.Accounts().EndAll(t.Context(), d.supervisor.ID, account.RevokeTokens); err != nil {
		t.Fatal(err)
	}
	if g, _, err := d.ReadEscalationLink(t.Context(), l.Token); !link.Revoked(err) || g.Number != n {
		t.Errorf("called off, it works: %v", err)
	}
}
