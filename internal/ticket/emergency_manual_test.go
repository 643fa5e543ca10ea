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

// Everything due during an emergency fires later by its length.
func TestEmergency_firesNothingUntilItEnds(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(110, bySupervisor, pause)
	if m, ok := ticket.Next(f.ticket, f.policy); ok {
		t.Errorf("in an emergency next is %+v", m)
	}
	if r := f.advance(1000); len(r.Events) > 0 {
		t.Errorf("in an emergency: %v", automatic(r.Events))
	}
	f.mustDecide(1010, bySupervisor, resume)
	f.advance(5000)
	wantEqual(t, "due events", automatic(f.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response step 1 100",
		"escalated first_response step 2 1024",
		"reminded resolution 1060", "breached resolution 1100", "escalated resolution step 1 1100",
		"escalated resolution step 2 1124",
	})
}

func TestEmergency_stopsBothClocksAtOnce(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(0, bySupervisor, pause)
	for _, name := range policy.ClockNames() {
		if due, ok := f.ticket.Promise(name).Clock.Due(); ok {
			t.Errorf("%s is due %s in an emergency", name, due)
		}
	}
	f.write(500, byAgent, ticket.VerbAgentReply)
	wantZero(t, "broken", f.ticket.FirstResponse.BreachedAt)
	wantTime(t, "answered", f.ticket.FirstResponse.MetAt, 500)
	f.mustDecide(600, byOperator, ticket.Command{Verb: ticket.VerbEmergencyResume})
	f.wantDue(policy.Resolution, 800)
}

// Whether silence began before the emergency or during it.
func TestEmergency_doesNotCountAsSilence(t *testing.T) {
	cases := map[string]struct {
		verb      ticket.Verb
		asked     float64
		dueEvents []string
	}{
		"resolved before": {ticket.VerbResolve, 10, []string{"closed 158"}},
		"resolved inside": {ticket.VerbResolve, 60, []string{"closed 168"}},
		"asked before":    {ticket.VerbRequestInformation, 10, []string{"nudged 134", "resolved 182", "closed 230"}},
		"asked inside":    {ticket.VerbRequestInformation, 60, []string{"nudged 144", "resolved 192", "closed 240"}},
		"asked with it":   {ticket.VerbRequestInformation, 20, []string{"nudged 144", "resolved 192", "closed 240"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, plainPolicy)
			if c.asked <= 20 {
				f.write(c.asked, byAgent, c.verb)
			}
			f.mustDecide(20, bySupervisor, pause)
			if c.asked > 20 {
				f.write(c.asked, byAgent, c.verb)
			}
			f.mustDecide(120, bySupervisor, resume)
			f.advance(5000)
			wantEqual(t, "due events", automatic(f.events), c.dueEvents)
		})
	}
}

func TestEmergency_doesNotRepeatANudge(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	f.mustDecide(40, bySupervisor, pause)
	f.mustDecide(140, bySupervisor, resume)
	f.advance(182)
	wantEqual(t, "due events", automatic(f.events), []string{"nudged 34", "resolved 182"})
}

func TestEmergency_aReplyReopensAndTheClockResumesAtItsEnd(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbResolve)
	f.mustDecide(20, bySupervisor, pause)
	f.write(30, byCustomer, ticket.VerbCustomerReply)
	if f.ticket.Status != ticket.StatusOpen || f.ticket.Resolution.Clock.Running() || f.ticket.Resolution.Clock.Met() {
		t.Errorf("the ticket is %s, its clock %+v", f.ticket.Status, f.ticket.Resolution.Clock)
	}
	f.mustDecide(120, bySupervisor, resume)
	f.wantDue(policy.Resolution, 310)
}

// Overlapping pauses end with the last reason.
func TestEmergency_overlapsOtherPauses(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	f.mustDecide(20, bySupervisor, pause)
	f.mustDecide(50, bySupervisor, resume)
	if f.ticket.Resolution.Clock.Running() {
		t.Error("the clock runs while the ticket waits")
	}
	f.write(60, byCustomer, ticket.VerbCustomerReply)
	f.wantDue(policy.Resolution, 250)
}

func TestManualEmergency_isDeclaredOnceAndEndedByItsName(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(1, bySupervisor, pause)
	if r := f.decide(2, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyPause, Emergency: "E-2"}); r.Outcome.Code != ticket.CodeNothing {
		t.Errorf("a second emergency is answered with %+v", r.Outcome)
	}
	if r := f.decide(3, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyResume, Emergency: "E-2"}); r.Outcome.Code != ticket.CodeNoEmergency {
		t.Errorf("the end of another emergency is answered with %+v", r.Outcome)
	}
	r := f.mustDecide(4, bySupervisor, resume)
	if r.Events[0].Emergency != "E-1" || f.ticket.InEmergency() {
		t.Errorf("resumed from %q into %+v", r.Events[0].Emergency, f.ticket.Emergencies)
	}
}

func TestExtend_movesBothDeadlinesOncePerEmergency(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(10, bySupervisor, extend)
	if r := f.decide(11, bySupervisor, extend); r.Outcome.Code != ticket.CodeNothing {
		t.Errorf("the same extension again is answered with %+v", r.Outcome)
	}
	f.wantDue(policy.FirstResponse, 148)
	f.wantDue(policy.Resolution, 248)
	byItself := ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: time.Hour}
	f.mustDecide(12, byOperator, byItself)
	f.mustDecide(13, byOperator, byItself) // unnamed manual extensions are separate ones
	f.wantDue(policy.FirstResponse, 150)
	f.write(14, byAgent, ticket.VerbAgentReply)
	f.mustDecide(15, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Emergency: "E-2", Extension: time.Hour})
	f.wantDue(policy.FirstResponse, 150) // met: its target no longer changes
	f.wantDue(policy.Resolution, 251)
}

func TestExtend_byTheMaximumIsReachedByEveryCalendar(t *testing.T) {
	f := submitted(t, `
time_zone: UTC
hours: {monday: ["10:00-10:10"]}
clocks: {first_response: {target: 10m, counts: business_hours}, resolution: {target: 20m, counts: business_hours}}
`)
	f.mustDecide(1, bySupervisor, ticket.Command{Verb: ticket.VerbEmergencyExtend, Extension: 366 * 24 * time.Hour})
}

// The promise stays breached and its escalation continues.
func TestExtend_afterABreachUndoesNothing(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(101, bySupervisor, extend)
	f.advance(200)
	wantEqual(t, "due events", automatic(f.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response step 1 100",
		"escalated first_response step 2 124", "reminded resolution 198.4",
	})
}
