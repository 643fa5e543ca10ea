package store_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestHistory_showsCommandsAndMails(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.supervisor, desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: d.agent.Handle})
	d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbReopen})
	d.step(ticket.StepRequest{Number: n, Manual: []ticket.ManualCommand{{Key: "k", Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh}}})
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "A note."})
	if err := d.Sent(t.Context(), n, 1); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Deferred(t.Context(), n, 2); err != nil {
		t.Fatal(err)
	}
	if err := d.Bounced(t.Context(), n, 3, "no such mailbox"); err != nil {
		t.Fatal(err)
	}
	h, err := d.workspace.History(t.Context(), d.second, n)
	if err != nil || len(h.Commands) != 5 || len(h.Mails) != 3 {
		t.Fatalf("%d commands, %d mails, %v", len(h.Commands), len(h.Mails), err)
	}
	for i, c := range h.Commands {
		if c.Seq != int64(i+1) || c.At.IsZero() || c.Decided != (i < 4) || c.Taken.IsZero() == c.Decided {
			t.Errorf("got %+v", c)
		}
	}
	if c := h.Commands[0]; c.Verb != ticket.VerbSubmit || c.By.Name != d.customer.Name || c.Priority != policy.PriorityNormal || c.Category != "delivery" {
		t.Errorf("got %+v", c)
	}
	if c := h.Commands[1]; c.By.Handle != d.supervisor.Handle || c.Agent == nil || c.Agent.Name != d.agent.Name || c.Outcome.Refused {
		t.Errorf("got %+v", c)
	}
	if c := h.Commands[2]; !c.Outcome.Refused || c.Outcome.Code != ticket.CodeStatus || c.Outcome.Reason == "" || c.Agent != nil {
		t.Errorf("got %+v", c)
	}
	if c := h.Commands[3]; c.By != (desk.Ref{Role: ticket.RoleOperator}) || c.Priority != policy.PriorityHigh {
		t.Errorf("got %+v", c)
	}
	receipt, second, bounced := h.Mails[0], h.Mails[1], h.Mails[2]
	if receipt.Kind != ticket.MailReceipt || receipt.To.ID != d.customer.ID || receipt.Status != desk.DeliverySent || receipt.Settled.IsZero() ||
		!receipt.Deferred.IsZero() || receipt.N != 1 || receipt.Event != 1 || time.Since(receipt.Owed) > time.Minute {
		t.Errorf("got %+v", receipt)
	}
	if second.Status != desk.DeliveryOwed || !second.Settled.IsZero() || second.Deferred.IsZero() {
		t.Errorf("got %+v", second)
	}
	if bounced.To.Handle != d.agent.Handle || bounced.Status != desk.DeliveryBounced || bounced.Reason != "no such mailbox" {
		t.Errorf("got %+v", bounced)
	}
	_, err = d.workspace.History(t.Context(), d.customer, n)
	wantKind(t, err, fault.Forbidden)
	_, err = d.workspace.History(t.Context(), d.agent, "HM-0000000000")
	wantKind(t, err, fault.NotFound)
}

func TestOthers_areTheRequestersNewest(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.taken(d.other)
	if others, count, err := d.workspace.Others(t.Context(), d.agent, n); len(others) != 0 || count != 0 || err != nil {
		t.Errorf("got %v, %d, %v", others, count, err)
	}
	var newest ticket.Number
	for i := range 22 {
		a := d.submit(d.customer)
		d.redate(a, a.At.Add(time.Duration(i)*time.Minute))
		newest = a.Number
	}
	others, count, err := d.workspace.Others(t.Context(), d.agent, n)
	if err != nil || count != 22 || len(others) != 20 || others[0].Number != newest {
		t.Fatalf("%d of %d, %v", len(others), count, err)
	}
	for i, o := range others {
		if o.Number == n || o.Subject != submission().Subject || o.Status != ticket.StatusNew || i > 0 && o.Submitted.After(others[i-1].Submitted) {
			t.Errorf("got %+v", o)
		}
	}
	_, _, err = d.workspace.Others(t.Context(), d.customer, n)
	wantKind(t, err, fault.Forbidden)
}

// TestStaff_showsTheLoadOfEach: what is resolved or closed weighs nothing.
func TestStaff_showsTheLoadOfEach(t *testing.T) {
	d := open(t)
	for _, verb := range []ticket.Verb{ticket.VerbNote, ticket.VerbRequestInformation, ticket.VerbResolve, ticket.VerbClose} {
		n := d.taken(d.customer)
		d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign})
		d.do(d.agent, desk.Request{Number: n, Verb: verb, Body: "Words."})
	}
	if err := d.DisablePerson(t.Context(), d.second.ID); err != nil {
		t.Fatal(err)
	}
	staff, err := d.Staff(t.Context())
	if err != nil || len(staff) != 3 {
		t.Fatalf("got %v, %v", staff, err)
	}
	for i, want := range []desk.Person{d.administrator, d.agent, d.supervisor} { // by name
		if got := staff[i]; got.ID != want.ID || got.Name != want.Name || got.Handle != want.Handle || got.Role != want.Role {
			t.Errorf("got %+v, want %s", got, want.Name)
		}
		if load := staff[i].Load; load != map[bool]int{true: 2}[want == d.agent] {
			t.Errorf("the load of %s is %d", want.Name, load)
		}
	}
}

func TestUndecided_showsOnesOwnWordsUntilAStepTakesThem(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	want := func(by desk.Person, bodies ...string) {
		t.Helper()
		got, err := d.Undecided(t.Context(), by, n)
		if err != nil || len(got) != len(bodies) {
			t.Fatalf("%s has %+v, %v; want %q", by.Name, got, err, bodies)
		}
		for i, body := range bodies {
			if got[i].Body != body || got[i].At.IsZero() {
				t.Errorf("%d is %+v, want %q", i, got[i], body)
			}
		}
	}
	want(d.customer, submission().Body)
	d.step(ticket.StepRequest{Number: n, Command: 1})
	want(d.customer)
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Not yet mailed."})
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Hello?"})
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbWithdraw})
	want(d.customer, "Hello?", "")
	want(d.other)
	d.step(ticket.StepRequest{Number: n, Command: 2})
	d.step(ticket.StepRequest{Number: n, Command: 3})
	want(d.customer, "")
}
