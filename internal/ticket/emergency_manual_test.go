package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	pause  = ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "E-1"}
	resume = ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: "E-1"}
	extend = ticket.Command{Verb: ticket.VerbEmergencyExtend, Emergency: "E-1", Extension: 48 * time.Hour}
)

// TestEmergency_nothingFallsDueInsideOne, and everything that would have comes later by its length.
func TestEmergency_nothingFallsDueInsideOne(t *testing.T) {
	l := submitted(t, plain)
	l.granted(110, bySupervisor, pause)
	if m, ok := ticket.Next(l.ticket, l.policy); ok {
		t.Errorf("in an emergency next is %+v", m)
	}
	if r := l.until(1000); len(r.Events) > 0 {
		t.Errorf("in an emergency: %v", moments(r.Events))
	}
	l.granted(1010, bySupervisor, resume)
	l.until(5000)
	same(t, "moments", moments(l.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response rung 1 100",
		"escalated first_response rung 2 1024",
		"reminded resolution 1060", "breached resolution 1100", "escalated resolution rung 1 1100",
		"escalated resolution rung 2 1124",
	})
}

func TestEmergency_stopsBothClocksAtOnce(t *testing.T) {
	l := submitted(t, plain)
	l.granted(0, bySupervisor, pause)
	for _, name := range policy.ClockNames() {
		if due, ok := l.ticket.Promise(name).Clock.Due(); ok {
			t.Errorf("%s is due %s in an emergency", name, due)
		}
	}
	l.says(500, byAgent, ticket.VerbAgentReply)
	never(t, "broken", l.ticket.FirstResponse.BreachedAt)
	instant(t, "answered", l.ticket.FirstResponse.MetAt, 500)
	l.granted(600, byHand, ticket.Command{Verb: ticket.VerbEmergencyResume})
	l.due(policy.Resolution, 800)
}

// TestEmergency_overARequestersSilence does not count for it, whether the silence began before it or inside.
func TestEmergency_overARequestersSilence(t *testing.T) {
	cases := map[string]struct {
		verb    ticket.Verb
		asked   float64
		moments []string
	}{
		"resolved before": {ticket.VerbResolve, 10, []string{"closed 158"}},
		"resolved inside": {ticket.VerbResolve, 60, []string{"closed 168"}},
		"asked before":    {ticket.VerbRequestInformation, 10, []string{"nudged 134", "resolved 182", "closed 230"}},
		"asked inside":    {ticket.VerbRequestInformation, 60, []string{"nudged 144", "resolved 192", "closed 240"}},
		"asked with it":   {ticket.VerbRequestInformation, 20, []string{"nudged 144", "resolved 192", "closed 240"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, plain)
			if c.asked <= 20 {
				l.says(c.asked, byAgent, c.verb)
			}
			l.granted(20, bySupervisor, pause)
			if c.asked > 20 {
				l.says(c.asked, byAgent, c.verb)
			}
			l.granted(120, bySupervisor, resume)
			l.until(5000)
			same(t, "moments", moments(l.events), c.moments)
		})
	}
}

func TestEmergency_overANudgedTicketDoesNotNudgeAgain(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	l.granted(40, bySupervisor, pause)
	l.granted(140, bySupervisor, resume)
	l.until(182)
	same(t, "moments", moments(l.events), []string{"nudged 34", "resolved 182"})
}

// TestEmergency_aReplyToAResolvedTicket reopens it; its clock goes on when the emergency is over.
func TestEmergency_aReplyToAResolvedTicket(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbResolve)
	l.granted(20, bySupervisor, pause)
	l.says(30, byCustomer, ticket.VerbCustomerReply)
	if l.ticket.Status != ticket.StatusOpen || l.ticket.Resolution.Clock.Running() || l.ticket.Resolution.Clock.Settled() {
		t.Errorf("the ticket is %s, its clock %+v", l.ticket.Status, l.ticket.Resolution.Clock)
	}
	l.granted(120, bySupervisor, resume)
	l.due(policy.Resolution, 310)
}

// TestEmergency_outlivesOtherPauses: overlapping pauses end when the last reason goes.
func TestEmergency_outlivesOtherPauses(t *testing.T) {
	l := submitted(t, plain)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	l.granted(20, bySupervisor, pause)
	l.granted(50, bySupervisor, resume)
	if l.ticket.Resolution.Clock.Running() {
		t.Error("the clock runs while the ticket waits")
	}
	l.says(60, byCustomer, ticket.VerbCustomerReply)
	l.due(policy.Resolution, 250)
}

func TestEmergency_isDeclaredOnceAndEndedByItsName(t *testing.T) {
	l := submitted(t, plain)
	l.granted(1, bySupervisor, pause)
	if r := l.take(2, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "E-2"}); r.Outcome.Code != ticket.CodeNothing {
		t.Errorf("a second emergency is answered with %+v", r.Outcome)
	}
	if r := l.take(3, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: "E-2"}); r.Outcome.Code != ticket.CodeNoEmergency {
		t.Errorf("the end of another emergency is answered with %+v", r.Outcome)
	}
	r := l.granted(4, bySupervisor, resume)
	if r.Events[0].Emergency != "E-1" || l.ticket.InEmergency() {
		t.Errorf("resumed from %q into %+v", r.Events[0].Emergency, l.ticket.Emergencies)
	}
}

func TestExtend_movesBothDeadlinesOncePerEmergency(t *testing.T) {
	l := submitted(t, plain)
	l.granted(10, bySupervisor, extend)
	if r := l.take(11, bySupervisor, extend); r.Outcome.Code != ticket.CodeNothing {
		t.Errorf("the same extension again is answered with %+v", r.Outcome)
	}
	l.due(policy.FirstResponse, 148)
	l.due(policy.Resolution, 248)
	byItself := ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: time.Hour}
	l.granted(12, byHand, byItself)
	l.granted(13, byHand, byItself) // by hand, twice is meant twice
	l.due(policy.FirstResponse, 150)
	l.says(14, byAgent, ticket.VerbAgentReply)
	l.granted(15, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Emergency: "E-2", Extension: time.Hour})
	l.due(policy.FirstResponse, 150) // given: nothing can be promised about it any more
	l.due(policy.Resolution, 251)
}

func TestExtend_byTheLongestIsReachedByEveryCalendar(t *testing.T) {
	l := submitted(t, `
time_zone: UTC
hours: {monday: ["10:00-10:10"]}
clocks: {first_response: {target: 10m, counts: business_hours}, resolution: {target: 20m, counts: business_hours}}
`)
	l.granted(1, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: 366 * 24 * time.Hour})
}

// TestExtend_afterABreachHealsNothing: the promise stays broken, and its ladder goes on.
func TestExtend_afterABreachHealsNothing(t *testing.T) {
	l := submitted(t, plain)
	l.granted(101, bySupervisor, extend)
	l.until(200)
	same(t, "moments", moments(l.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response rung 1 100",
		"escalated first_response rung 2 124", "reminded resolution 198.4",
	})
}
