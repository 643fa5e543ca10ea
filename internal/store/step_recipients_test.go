package store_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// mailRecipients returns the recipients of a step's mails, as "kind to person", in the order of the kinds' first mails.
func mailRecipients(r stepped) []string {
	var all []string
	for _, o := range r.Owed {
		all = append(all, fmt.Sprintf("%s to %s", o.Kind, o.To))
	}
	return all
}

func (d *fixture) disable(p desk.Person) {
	d.t.Helper()
	if err := d.DisablePerson(d.t.Context(), p.ID); err != nil {
		d.t.Fatal(err)
	}
}

func TestStep_writesToSupervisorsInsteadOfWhoLeft(t *testing.T) {
	d := openUnder(t, quick)
	deputy := d.add(ticket.RoleSupervisor, "Dora Deputy", "dora@desk.example")
	former := d.add(ticket.RoleSupervisor, "Former Supervisor", "former@desk.example")
	d.disable(former)
	supervisors := []ticket.PersonID{d.supervisor.ID, deputy.ID}
	slices.Sort(supervisors)
	all := func(kind ticket.MailKind) []string {
		return []string{fmt.Sprintf("%s to %s", kind, supervisors[0]), fmt.Sprintf("%s to %s", kind, supervisors[1])}
	}

	a := d.submit(d.customer)
	start := a.At.Add(-24 * time.Hour)
	d.redate(a, start)
	as := d.ask(d.supervisor, desk.Request{Number: a.Number, Verb: ticket.VerbAssign, Agent: d.second.Handle})
	d.redate(as, start)
	d.disable(d.second)
	mails := d.step(ticket.StepRequest{Number: a.Number, Command: as.Seq})
	if got := mailRecipients(mails); !slices.Equal(got[len(got)-2:], all(ticket.MailAssigned)) {
		t.Errorf("of the assignment: %v", got)
	}
	reply := d.ask(d.customer, desk.Request{Number: a.Number, Verb: ticket.VerbCustomerReply, Body: "Confidential."})
	d.redate(reply, start)
	for _, c := range []struct {
		step ticket.StepRequest
		kind ticket.MailKind
	}{
		{ticket.StepRequest{Command: reply.Seq}, ticket.MailCustomerReply},
		{ticket.StepRequest{Due: start.Add(30 * time.Minute)}, ticket.MailReminder},
		{ticket.StepRequest{Due: start.Add(time.Hour)}, ticket.MailEscalation}, // this step notifies assignee and supervisors
	} {
		c.step.Number, c.step.LastDelivery = a.Number, mails.State.LastDelivery
		mails = d.step(c.step)
		if got := mailRecipients(mails); !slices.Equal(got, all(c.kind)) {
			t.Errorf("%s: notified %v, want both supervisors once", c.kind, got)
		}
	}
	d.consistent(a.Number)
}

func TestStep_writesNothingToADisabledCustomer(t *testing.T) {
	d := open(t)
	n := d.taken(d.customer)
	d.disable(d.customer)
	got := d.do(d.agent, desk.Request{Number: n, Verb: ticket.VerbAgentReply, Body: "On its way."})
	if got.State.LastDelivery != 1 || len(got.Owed) != 1 || got.Owed[0].Kind != ticket.MailReceipt {
		t.Errorf("owed %v, want the receipt alone", got.Owed)
	}
	d.consistent(n)
}

// TestStep_findsSupervisorsAmongManyCustomers without reading every person.
func TestStep_findsSupervisorsAmongManyCustomers(t *testing.T) {
	d := open(t)
	d.sql(`INSERT INTO people (id, role, name, address)
		SELECT 'P-' || lpad(i::text, 10, '0'), 'customer', 'n', i || '@example.com' FROM generate_series(1, 20000) i`)
	d.sql(`ANALYZE people`)
	rows, err := d.beside.Query(t.Context(), `EXPLAIN SELECT id FROM people
		WHERE role = 'supervisor' AND role <> 'customer' AND disabled_at IS NULL ORDER BY id`)
	if err != nil {
		t.Fatal(err)
	}
	if plan := lines(t, rows); !strings.Contains(plan, "people_staff") {
		t.Errorf("an escalation reads every person:\n%s", plan)
	}
}
