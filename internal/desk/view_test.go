package desk_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	submitted = time.Date(2026, time.November, 23, 10, 0, 0, 0, time.UTC)
	customer  = desk.Person{ID: "P-CUSTOMER", Role: ticket.RoleCustomer}
	agent     = desk.Person{ID: "P-AGENT", Role: ticket.RoleAgent}
)

// newView returns a ticket of Demo Customer after commands an hour apart. Its targets are 10 and 20 hours.
func newView(t *testing.T, commands ...ticket.Command) desk.View {
	t.Helper()
	p, err := policy.Parse([]byte(`
time_zone: Europe/Berlin
contact: help@example.com
clocks: {first_response: {target: 10h, counts: calendar}, resolution: {target: 20h, counts: calendar, pauses: [waiting, resolved]}}
`))
	if err != nil {
		t.Fatal(err)
	}
	submission := ticket.Command{Verb: ticket.VerbSubmit, By: customer.Actor(), Message: 1, Priority: policy.PriorityNormal, Category: p.Categories[0]}
	v := desk.View{Policy: p, Ticket: ticket.Draft("HM-7Q2K9XM4TD", customer.ID, 1, p)}
	for i, c := range append([]ticket.Command{submission}, commands...) {
		c.Seq, c.At = int64(i+1), submitted.Add(time.Duration(i)*time.Hour)
		r, err := ticket.Decide(v.Ticket, ticket.Environment{Policy: p}, c)
		if err != nil || r.Outcome.Refused {
			t.Fatalf("%s: %+v %v", c.Verb, r.Outcome, err)
		}
		v.Ticket = r.Ticket
	}
	v.Record = desk.Record{Number: v.Ticket.Number, Subject: "A leak", Requester: desk.Ref{Name: "Demo {{agent.name}} Customer"}}
	return v
}

func TestDecided_isTrueWithoutPendingCommands(t *testing.T) {
	for _, c := range []struct {
		taken, pending int64
		want           bool
	}{{1, 1, true}, {1, 2, false}, {2, 1, true}} {
		v := desk.View{Record: desk.Record{State: &ticket.State{Command: c.taken}, LastCommand: c.pending}}
		if v.Decided() != c.want {
			t.Errorf("command %d of %d taken: decided is %v", c.taken, c.pending, v.Decided())
		}
	}
}

func TestGauge_stopsWhenThePromiseIsMet(t *testing.T) {
	reply := ticket.Command{Verb: ticket.VerbAgentReply, By: agent.Actor(), Message: 2} // an hour after the submission
	v, answered := newView(t), newView(t, reply)
	for _, c := range []struct {
		v       desk.View
		clock   policy.ClockName
		hours   int
		used    time.Duration
		settled bool
	}{
		{v, policy.FirstResponse, 4, 4 * time.Hour, false},
		{v, policy.FirstResponse, 12, 12 * time.Hour, false},
		{answered, policy.FirstResponse, 12, time.Hour, true},
		{answered, policy.Resolution, 12, 12 * time.Hour, false},
	} {
		g := c.v.Gauge(c.clock, submitted.Add(time.Duration(c.hours)*time.Hour))
		budget := map[policy.ClockName]time.Duration{policy.FirstResponse: 10 * time.Hour, policy.Resolution: 20 * time.Hour}[c.clock]
		if g.Used != c.used || g.Settled != c.settled || g.Budget != budget || g.MetAt.IsZero() == c.settled {
			t.Errorf("%s after %d hours: %+v", c.clock, c.hours, g)
		}
	}
}

// After an emergency, the deadline of a used-up clock is the end of the emergency. The promise keeps the original one.
func TestPromised_aBreachLeavesTheDeadline(t *testing.T) {
	v := newView(t)
	due, _ := v.Ticket.Resolution.Clock.Due()
	from := due.Add(24 * time.Hour)
	schedule := ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{
		{ID: ticket.NewEmergencyID(), Kind: ticket.EmergencyClosed, From: from, Until: from.Add(time.Hour)},
	}}
	r, err := ticket.Advance(v.Ticket, ticket.Environment{Policy: v.Policy, Schedule: schedule}, from.Add(2*time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	if moved, _ := r.Ticket.Resolution.Clock.Due(); moved.Equal(due) {
		t.Fatal("the clock's own deadline did not move: this test proves nothing")
	}
	v.Ticket = r.Ticket
	if got := v.Promised().Resolution; !got.Due.Equal(due) || !got.BreachedAt.Equal(due) {
		t.Errorf("promised for %s, and shown is %+v", due, got)
	}
}
