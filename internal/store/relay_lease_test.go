package store_test

import (
	"reflect"
	"testing"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// leased accepts a command under a lease and returns it as the relay of this process delivers it.
func (d *fixture) leased(by desk.Person, r desk.Request) desk.AcceptedCommand {
	d.t.Helper()
	r.Lease = "a-lease"
	return d.ask(by, r).Command(by, r)
}

func TestLease_keepsACommandFromOtherRelaysUntilItEndsOrExpires(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	d.deliverAll()
	first, second := d.leased(d.agent, desk.Request{Number: n, Verb: ticket.VerbAssign}), d.leased(d.customer, desk.Request{Number: n, Verb: ticket.VerbCustomerReply, Body: "?"})
	if left := d.deliverAll(); len(left) != 0 {
		t.Fatalf("another relay received %+v", left)
	}
	if err := d.SettleLeased(t.Context(), "another", []desk.AcceptedCommand{first}, []desk.AcceptedCommand{second}); err != nil {
		t.Fatal(err)
	}
	if left := d.deliverAll(); len(left) != 0 {
		t.Fatalf("the lease of another process was ended: %+v", left)
	}
	if err := d.SettleLeased(t.Context(), "a-lease", []desk.AcceptedCommand{first}, []desk.AcceptedCommand{second}); err != nil {
		t.Fatal(err)
	}
	if left := d.deliverAll(); len(left) != 1 || left[0].Command.Seq != second.Command.Seq {
		t.Errorf("left %+v, want what was released", left)
	}
	third := d.leased(d.agent, desk.Request{Number: n, Verb: ticket.VerbNote, Body: "."})
	d.sql(`UPDATE undelivered SET claimed_until = clock_timestamp() - interval '1 second' WHERE seq = $1`, third.Command.Seq)
	if left := d.deliverAll(); len(left) != 1 || left[0].Command.Seq != third.Command.Seq {
		t.Errorf("left %+v, want the one whose lease expired", left)
	}
}

// What a process delivers of a command that it accepts is what a relay delivers that reads it.
func TestLease_theCommandIsTheOneThatIsStored(t *testing.T) {
	d := open(t)
	n := d.submit(d.customer).Number
	d.deliverAll()
	for name, c := range map[string]struct {
		by      desk.Person
		request desk.Request
	}{
		"reply":    {d.customer, desk.Request{Verb: ticket.VerbCustomerReply, Body: "?"}},
		"answer":   {d.agent, desk.Request{Verb: ticket.VerbAgentReply, Body: "!"}},
		"take":     {d.agent, desk.Request{Verb: ticket.VerbAssign}},
		"assign":   {d.agent, desk.Request{Verb: ticket.VerbAssign, Agent: d.second.Handle}},
		"by ID":    {d.agent, desk.Request{Verb: ticket.VerbAssign, Agent: string(d.second.ID)}},
		"priority": {d.agent, desk.Request{Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh}},
	} {
		c.request.Number = n
		got := d.leased(c.by, c.request)
		d.sql(`UPDATE undelivered SET claimed_until = clock_timestamp() - interval '1 second' WHERE claimed_by IS NOT NULL`)
		stored := d.deliverAll()
		if len(stored) != 1 {
			t.Fatalf("%s: %+v", name, stored)
		}
		want := stored[0]
		want.Command.Message, want.Command.Seen = got.Command.Message, got.Command.Seen // words and their place are the step's
		if want.Command.Assignee == "" {
			want.Command.Handle = "" // the author's
		}
		if !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\ndelivered %+v\nstored    %+v", name, got, want)
		}
	}
}
