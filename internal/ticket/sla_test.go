package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestSLARecord_isChargedToWhatTheTicketHadWhenDecided(t *testing.T) {
	at := time.Date(2026, time.March, 2, 10, 0, 0, 0, time.UTC)
	assigned := func(n int, to ticket.PersonID) ticket.Event {
		return ticket.Event{N: n, At: at, Kind: ticket.EventAssigned, Assignee: to, Handle: "h", Status: ticket.StatusOpen}
	}
	was := ticket.Ticket{Status: ticket.StatusNew, Priority: policy.PriorityLow, Category: "order", Assignee: "P-A"}
	breach := ticket.Event{N: 2, At: at, Kind: ticket.EventBreached, Promise: policy.Resolution}
	raised := ticket.Event{N: 3, At: at, Kind: ticket.EventEscalated, Promise: policy.Resolution, EscalationStep: 1, Priority: policy.PriorityHigh}
	resolved := ticket.Event{N: 5, At: at, Kind: ticket.EventResolved, Status: ticket.StatusResolved}
	reopened := ticket.Event{N: 6, At: at, Kind: ticket.EventReopened, Status: ticket.StatusOpen}
	closed := ticket.Event{N: 7, At: at, Kind: ticket.EventClosed, Status: ticket.StatusClosed}
	for name, c := range map[string]struct {
		events []ticket.Event
		want   ticket.SLARecord
	}{
		"owed: as it is now":        {[]ticket.Event{raised, assigned(4, "P-B")}, ticket.SLARecord{SLAStatus: ticket.SLAPending, Priority: policy.PriorityHigh, Agent: "P-B"}},
		"broken, raised, handed on": {[]ticket.Event{breach, raised, assigned(4, "P-B")}, ticket.SLARecord{SLAStatus: ticket.SLABreached, Priority: policy.PriorityLow, Agent: "P-A"}},
		"broken and delivered":      {[]ticket.Event{breach, assigned(4, "P-B"), resolved}, ticket.SLARecord{SLAStatus: ticket.SLABreached, Priority: policy.PriorityLow, Agent: "P-A", MetAt: at}},
		"met, handed on":            {[]ticket.Event{resolved, assigned(6, "P-B")}, ticket.SLARecord{SLAStatus: ticket.SLAMet, Priority: policy.PriorityLow, Agent: "P-A", MetAt: at}},
		"reopened":                  {[]ticket.Event{resolved, assigned(6, "P-B"), reopened}, ticket.SLARecord{SLAStatus: ticket.SLAPending, Priority: policy.PriorityLow, Agent: "P-B"}},
		"reopened and closed":       {[]ticket.Event{resolved, reopened, assigned(7, "P-B"), closed}, ticket.SLARecord{SLAStatus: ticket.SLACancelled, Priority: policy.PriorityLow, Agent: "P-B"}},
		"reopened and met by other": {[]ticket.Event{resolved, reopened, assigned(7, "P-B"), resolved}, ticket.SLARecord{SLAStatus: ticket.SLAMet, Priority: policy.PriorityLow, Agent: "P-B", MetAt: at}},
		"met and closed":            {[]ticket.Event{resolved, closed}, ticket.SLARecord{SLAStatus: ticket.SLAMet, Priority: policy.PriorityLow, Agent: "P-A", MetAt: at}},
	} {
		c.want.Category = "order"
		got, settled := ticket.RecordSLA(was, c.events, policy.Resolution)
		if got != c.want || settled {
			t.Errorf("%s: got %+v (settled %v), want %+v", name, got, settled, c.want)
		}
		then := was
		for _, e := range c.events {
			then = ticket.Apply(then, e)
		}
		if _, settled := ticket.RecordSLA(then, []ticket.Event{{N: 9, At: at, Kind: ticket.EventNoted}}, policy.Resolution); settled != (c.want.SLAStatus != ticket.SLAPending) {
			t.Errorf("%s: settled before what comes after: %v", name, settled)
		}
	}
}

// Whatever happens to the ticket between the breach, after 100 hours, and the answer two hours later.
func TestBreach_isMeasuredAgainstTheBreachedTarget(t *testing.T) {
	for name, between := range map[string]func(*fixture){
		"the escalation raises the priority": func(*fixture) {},
		"someone raises it again": func(f *fixture) {
			f.mustDecide(101, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
		},
		"someone lowers it": func(f *fixture) {
			f.mustDecide(101, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityLow})
		},
		"the targets are made longer": func(f *fixture) {
			f.mustDecide(101, byOperator, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: time.Hour})
		},
		"a stricter policy": func(f *fixture) { f.adopt(101, replaced(prioritiesPolicy, "100h", "10h")) },
		"a laxer policy":    func(f *fixture) { f.adopt(101, replaced(prioritiesPolicy, "100h", "900h")) },
		"a policy for other time": func(f *fixture) {
			f.adopt(101, replaced(prioritiesPolicy, "time_zone: UTC",
				"time_zone: UTC\nhours: {monday: [\"10:00-17:00\"]}", "100h, counts: calendar", "3d, counts: business_days"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, prioritiesPolicy)
			f.advance(100)
			between(f)
			stands := func(when string, used time.Duration) {
				t.Helper()
				p := f.ticket.FirstResponse
				due, _ := p.Due()
				if got := p.Clock.Used(f.policy.Calendar, at(used.Hours())); p.Clock.Budget() != 100*time.Hour || got != used || !due.Equal(at(100)) {
					t.Errorf("%s: %s of %s used, due %s", when, got, p.Clock.Budget(), due)
				}
			}
			stands("pending", 102*time.Hour)
			f.write(102, byAgent, ticket.VerbAgentReply)
			stands("given", 102*time.Hour)
		})
	}
}

// A met resolution may become pending again, and then has the new target.
func TestMet_isMeasuredAgainstTheMetTarget(t *testing.T) {
	f := submitted(t, prioritiesPolicy)
	f.write(50, byAgent, ticket.VerbResolve)
	f.mustDecide(51, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	clock := f.ticket.Resolution.Clock
	if met := clock.AsMet(); met.Budget() != 200*time.Hour || clock.Budget() != 60*time.Hour {
		t.Errorf("met within %s, and pending again within %s", met.Budget(), clock.Budget())
	}
	f.do(52, byAgent, ticket.VerbReopen)
	if again := f.ticket.Resolution.Clock.AsMet(); again.Budget() != 60*time.Hour {
		t.Errorf("owed again within %s", again.Budget())
	}
}
