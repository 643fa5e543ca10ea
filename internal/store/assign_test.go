package store_test

import (
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// take returns a request to assign a ticket to its author, who expects a certain assignee.
func take(n ticket.Number, expected string) desk.Request {
	return desk.Request{Number: n, Verb: ticket.VerbAssign, Expected: &expected}
}

func TestTaking_isGrantedToWhoKnowsWhoHasTheTicket(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	for _, c := range []struct {
		by       desk.Person
		expected string
		code     string
	}{
		{d.agent, d.second.Handle, ticket.CodeTaken},
		{d.agent, "", ""},
		{d.agent, "", ticket.CodeNothing}, // a second click
		{d.second, "", ticket.CodeTaken},
		{d.second, d.supervisor.Handle, ticket.CodeTaken},
		{d.second, d.agent.Handle, ""},
		{d.supervisor, string(d.second.ID), ""},
	} {
		a := d.ask(c.by, take(n, c.expected))
		d.step(ticket.StepRequest{Number: n, Command: a.Seq})
		o := d.outcome(n, a.Seq)
		if o.Code != c.code || o.Refused != (c.code != "") {
			t.Errorf("%s, expecting %q: %+v, want %q", c.by.Name, c.expected, o, c.code)
		}
	}
	// Without an expectation nothing is compared.
	if o := d.outcome(n, d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign}).State.Command); o.Refused {
		t.Errorf("an assignment that expects nothing: %+v", o)
	}
	d.consistent(n)
}

// TestTaking_expectsAKnownAssignee, who may be disabled by now: they have the ticket all the same.
func TestTaking_expectsAKnownAssignee(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.do(d.second, desk.Request{Number: n, Verb: ticket.VerbAssign})
	if err := d.DisablePerson(t.Context(), d.second.ID); err != nil {
		t.Fatal(err)
	}
	for _, unknown := range []string{"nobody", string(d.customer.ID), "P-0000000000"} {
		_, err := d.Command(t.Context(), d.agent, take(n, unknown))
		wantKind(t, err, fault.Invalid)
	}
	if o := d.outcome(n, d.do(d.agent, take(n, d.second.Handle)).State.Command); o.Refused {
		t.Errorf("taking over from who is disabled: %+v", o)
	}
}

// TestTaking_byManyAtOnceIsGrantedToOne, however steps and acceptances interleave.
func TestTaking_byManyAtOnceIsGrantedToOne(t *testing.T) {
	d := open(t)
	staff := []desk.Person{d.agent, d.second, d.supervisor, d.administrator}
	for range 10 {
		n := d.taken(d.customer)
		start := make(chan struct{})
		var all sync.WaitGroup
		for _, by := range staff {
			all.Go(func() {
				<-start
				a, err := d.Command(t.Context(), by, take(n, ""))
				if err == nil {
					_, err = d.Step(t.Context(), ticket.StepRequest{Number: n, Command: a.Seq})
				}
				if err != nil {
					t.Error(err)
				}
			})
		}
		close(start)
		all.Wait()
		granted := one[int64](d, `SELECT count(*) FROM outcomes o JOIN commands c USING (ticket, seq) WHERE o.ticket = $1 AND c.verb = 'assign' AND NOT o.refused`, n)
		taken := one[int64](d, `SELECT count(*) FROM outcomes WHERE ticket = $1 AND code = 'taken'`, n)
		winner := one[bool](d, `SELECT t.assignee = c.by_person FROM tickets t JOIN commands c ON c.ticket = t.number JOIN outcomes o USING (ticket, seq)
			WHERE t.number = $1 AND c.verb = 'assign' AND NOT o.refused LIMIT 1`, n)
		if granted != 1 || taken != int64(len(staff)-1) || !winner {
			t.Errorf("%d were granted, %d refused because it is taken, and the winner has it: %v", granted, taken, winner)
		}
		d.consistent(n)
	}
}
