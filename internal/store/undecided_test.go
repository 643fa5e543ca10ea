package store_test

import (
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
	d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "Not yet told."})
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "Hello?"})
	d.ask(d.customer, desk.Request{Number: n, Verb: ticket.VerbWithdraw})
	want(d.customer, "Hello?", "")
	want(d.other)
	d.step(ticket.StepRequest{Number: n, Command: 2})
	d.step(ticket.StepRequest{Number: n, Command: 3})
	want(d.customer, "")
}
