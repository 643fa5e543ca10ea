package inbound_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// A form on a website sends from an address of the website, for the visitor in Reply-To.
func TestIncomingMails_aFormsMailIsOfWhoFilledItIn(t *testing.T) {
	t.Parallel()
	o := openOffice(t)
	fill := func(replyTo string, headers ...string) letter {
		return letter{
			from: "Shop <form@shop.example>", returnPath: "www-data@shop.example", subject: "A question", body: "Do you deliver to islands?",
			headers: append(headers, "Reply-To: "+replyTo, "Auto-Submitted: auto-generated"),
		}
	}
	opened := o.open(fill("Carla Customer <carla@client.example>"), fill("ivan@client.example", "Authentication-Results: border.example; dmarc=pass header.from=shop.example"))
	for i, want := range []string{"carla@client.example", "ivan@client.example"} {
		person, err := o.PersonByAddress(t.Context(), want)
		if err != nil || o.record(opened[i]).Requester.ID != person.ID {
			t.Errorf("a ticket of %+v, want %s: %v", o.record(opened[i]).Requester, want, err)
		}
	}
	if got := o.receipts(opened); got != 2 {
		t.Errorf("%d receipts", got)
	}
	if m, err := o.Incoming(t.Context(), o.processed.ID); err != nil || m.Trust != desk.TrustUnknown || m.Sender != "ivan@client.example" {
		t.Errorf("the address that was entered counts as proven: %+v, %v", m, err)
	}

	// Anybody can enter any address, so it may not write to its tickets without a proof of its own.
	answers := "In-Reply-To: " + o.messageID(opened[0], 1, false)
	if r := o.process(fill("Carla Customer <carla@client.example>", answers, "Authentication-Results: border.example; dmarc=pass header.from=shop.example")); r.Ticket == opened[0] {
		t.Error("what was entered in a form became a message of a ticket")
	}
	if r := o.process(fill("Anna Agent <anna@staff.example>", "Authentication-Results: border.example; dmarc=pass header.from=shop.example")); r.Status != desk.IncomingQuarantined {
		t.Errorf("an agent's address that was entered in a form: %+v", r)
	}
	if r := o.process(fill("Carla Customer <carla@client.example>", "Authentication-Results: border.example; dmarc=fail header.from=shop.example")); r.Reason != desk.ReasonForged {
		t.Errorf("a mail in the form's name that its domain disowns: %+v", r)
	}
	if r := o.process(fill("form@shop.example")); r.Status != desk.IncomingRecorded {
		t.Errorf("a form that names no visitor: %+v", r)
	}
}
