package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// prioritiesPolicy has shorter targets for higher priorities.
const prioritiesPolicy = plainPolicy + `
priorities:
  high: {first_response: 50h, resolution: 120h}
  urgent: {first_response: 8h, resolution: 60h}
`

// The acceptance of an answer counts, not when it is decided.
func TestDeadline_isMetOnlyStrictlyBefore(t *testing.T) {
	for _, c := range []struct {
		hours float64
		met   bool
	}{{99, true}, {100 - 1.0/3600, true}, {100, false}, {100 + 1.0/3600, false}, {5000, false}} {
		f := submitted(t, plainPolicy)
		f.write(c.hours, byAgent, ticket.VerbAgentReply)
		if met := f.ticket.FirstResponse.BreachedAt.IsZero(); met != c.met {
			t.Errorf("answered after %gh: met is %v, want %v", c.hours, met, c.met)
		}
		wantTime(t, "the answer", f.ticket.FirstResponse.MetAt, c.hours)
		if !c.met {
			wantTime(t, "the breach", f.ticket.FirstResponse.BreachedAt, 100)
		}

		f = submitted(t, plainPolicy)
		f.write(1, byAgent, ticket.VerbAgentReply)
		f.write(c.hours*2, byAgent, ticket.VerbResolve)
		if met := f.ticket.Resolution.BreachedAt.IsZero(); met != c.met {
			t.Errorf("resolved after %gh: met is %v, want %v", c.hours*2, met, c.met)
		}
	}
}

// A step that is a year late records every event at its due time, in order.
func TestDueEvents_areRecordedAtTheirDueTimesHoweverLate(t *testing.T) {
	want := []string{
		"reminded first_response 75",
		"breached first_response 100", "escalated first_response step 1 100", "escalated first_response step 2 124",
		"reminded resolution 160",
		"breached resolution 200", "escalated resolution step 1 200", "escalated resolution step 2 224",
	}
	late := submitted(t, plainPolicy)
	late.advance(24 * 365)
	wantEqual(t, "a year late", automatic(late.events), want)

	prompt := submitted(t, plainPolicy)
	for m, ok := ticket.Next(prompt.ticket, prompt.policy); ok; m, ok = ticket.Next(prompt.ticket, prompt.policy) {
		r := prompt.advance(m.Due.Sub(submission).Hours())
		if len(r.Events) == 0 {
			t.Fatalf("at %s nothing happened, and %+v is still next", m.Due, m)
		}
	}
	wantEqual(t, "one by one", automatic(prompt.events), want)

	byCommand := submitted(t, plainPolicy)
	byCommand.write(24*365, byAgent, ticket.VerbNote)
	wantEqual(t, "ahead of a late command", automatic(byCommand.events), want)
	if e := byCommand.events[len(byCommand.events)-1]; e.Kind != ticket.EventNoted || e.N != len(want)+2 {
		t.Errorf("the last event is %d %s", e.N, e.Kind)
	}
}

func TestDueEvent_neverFiresEarly(t *testing.T) {
	for _, hours := range []float64{75, 100, 124, 160, 200, 224} {
		f := submitted(t, plainPolicy)
		f.advance(hours - 1.0/3600)
		before := len(f.events)
		f.advance(hours)
		if len(f.events) == before {
			t.Errorf("nothing happens at %gh, or it happens a second early", hours)
		}
	}
}

// They fire promise by promise, and before those of silence.
func TestDueEvents_ofOneInstantFireInAFixedOrder(t *testing.T) {
	f := submitted(t, `
time_zone: UTC
clocks:
  first_response: {target: 4h, counts: calendar, remind_at: 50%}
  resolution: {target: 4h, counts: calendar, remind_at: 50%}
silence: {close_after: 4h}
escalation: [{after: 0s, tell: [supervisors]}]
`)
	f.do(0, byOperator, ticket.VerbResolve)
	f.do(0, byOperator, ticket.VerbReopen)
	f.advance(4)
	wantEqual(t, "due events", automatic(f.events), []string{
		"reminded first_response 2", "reminded resolution 2",
		"breached first_response 4", "escalated first_response step 1 4",
		"breached resolution 4", "escalated resolution step 1 4",
	})

	f = submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 4h, counts: calendar}, resolution: {target: 9h, counts: calendar}}\nsilence: {close_after: 4h}\n")
	f.do(0, byOperator, ticket.VerbResolve)
	f.advance(4)
	wantEqual(t, "due events", automatic(f.events), []string{"breached first_response 4", "closed 4"})
}

func TestReminder_isNotSentOnceThePromiseIsMet(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(74, byAgent, ticket.VerbAgentReply)
	f.advance(159)
	wantEqual(t, "due events", automatic(f.events), nil)
	f.write(159.5, byAgent, ticket.VerbResolve)
	f.advance(170)
	wantEqual(t, "due events", automatic(f.events), nil)
}

// Each of these comes after the first step of the first response and prevents the second.
func TestEscalation_endsWithAnAnswerOrAnAcknowledgement(t *testing.T) {
	cases := map[string]struct {
		by   ticket.Actor
		c    ticket.Command
		ends bool
	}{
		"an acknowledgement":    {byAgent, ticket.Command{Verb: ticket.VerbAcknowledge}, true},
		"one by hand":           {byOperator, ticket.Command{Verb: ticket.VerbAcknowledge}, true},
		"a reply":               {byAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 9}, true},
		"a request":             {byAgent, ticket.Command{Verb: ticket.VerbRequestInformation, Message: 9}, true},
		"a resolution":          {byAgent, ticket.Command{Verb: ticket.VerbResolve, Message: 9}, true},
		"a wordless resolution": {byOperator, ticket.Command{Verb: ticket.VerbResolve}, true},
		"a closure":             {byAgent, ticket.Command{Verb: ticket.VerbClose}, true},
		"a withdrawal":          {byCustomer, ticket.Command{Verb: ticket.VerbWithdraw}, true},
		"a note":                {byAgent, ticket.Command{Verb: ticket.VerbNote, Message: 9}, false},
		"progress":              {byAgent, ticket.Command{Verb: ticket.VerbProgressUpdate, Message: 9}, false},
		"an assignment":         {byAgent, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne}, false},
		"the customer's reply":  {byCustomer, ticket.Command{Verb: ticket.VerbCustomerReply, Message: 9}, false},
		"another class":         {byAgent, ticket.Command{Verb: ticket.VerbReclassify, Category: "delivery"}, false},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, plainPolicy)
			f.advance(101)
			if got := f.ticket.EscalationStep(); got != 1 {
				t.Fatalf("step %d an hour after the breach, want 1", got)
			}
			f.mustDecide(102, c.by, c.c)
			if calm := f.ticket.EscalationStep() == 0; calm != c.ends {
				t.Errorf("the step is %d", f.ticket.EscalationStep())
			}
			f.advance(130)
			steps := f.ticket.FirstResponse.EscalationSteps
			if c.ends && steps != 1 || !c.ends && steps != 2 {
				t.Errorf("%d steps have fired", steps)
			}
		})
	}
}

// The acknowledgement of one breach does not acknowledge the next.
func TestEscalation_isAcknowledgedPerPromise(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.do(101, byAgent, ticket.VerbAcknowledge)
	f.advance(1000)
	wantEqual(t, "due events", automatic(f.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response step 1 100",
		"reminded resolution 160",
		"breached resolution 200", "escalated resolution step 1 200", "escalated resolution step 2 224",
	})
	r := f.decide(1001, byAgent, ticket.Command{Verb: ticket.VerbAcknowledge, Message: 12})
	if r.Outcome.Refused || r.Events[0].Message != 12 {
		t.Errorf("an escalation at its top is acknowledged too, with its reason: %+v", r)
	}
}

func TestEscalation_withoutStepsRecordsOnlyTheBreach(t *testing.T) {
	f := submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar}}\n")
	f.advance(1000)
	wantEqual(t, "due events", automatic(f.events), []string{"breached first_response 1", "breached resolution 2"})
	if m, ok := ticket.Next(f.ticket, f.policy); ok {
		t.Errorf("next is %+v, want nothing", m)
	}
}

func TestRaisePriority_raisesOncePerStepAndTightensPendingTargets(t *testing.T) {
	f := submitted(t, prioritiesPolicy)
	f.advance(100)
	if f.ticket.Priority != policy.PriorityHigh {
		t.Errorf("the priority is %s after one step", f.ticket.Priority)
	}
	f.wantDue(policy.Resolution, 120)
	f.advance(120)
	if f.ticket.Priority != policy.PriorityUrgent {
		t.Errorf("the priority is %s after both breaches", f.ticket.Priority)
	}
	f.advance(1000)
	wantEqual(t, "due events", automatic(f.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response step 1 100",
		"reminded resolution 100", // 80% of 120h have passed when the priority is raised
		"breached resolution 120", "escalated resolution step 1 120",
		"escalated first_response step 2 124", "escalated resolution step 2 144",
	})
	if f.ticket.Priority != policy.PriorityUrgent {
		t.Errorf("the priority is %s in the end: the second step raises nothing", f.ticket.Priority)
	}
}

func TestRaisePriority_stopsAtUrgent(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.mustDecide(1, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	r := f.advance(100)
	last := r.Events[len(r.Events)-1]
	if last.Kind != ticket.EventEscalated || last.Priority != "" || f.ticket.Priority != policy.PriorityUrgent {
		t.Errorf("the step is %+v, the priority %s", last, f.ticket.Priority)
	}
}

func TestReclassify_movesPendingDeadlines(t *testing.T) {
	f := submitted(t, prioritiesPolicy)
	f.mustDecide(10, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh})
	f.wantDue(policy.FirstResponse, 50)
	f.wantDue(policy.Resolution, 120)
	f.write(20, byAgent, ticket.VerbAgentReply)
	f.mustDecide(30, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityNormal})
	f.wantDue(policy.FirstResponse, 50) // given: nothing can be promised about it any more
	f.wantDue(policy.Resolution, 200)
}

// It breaches at the change and not in the past.
func TestReclassify_toATargetAlreadyUsedUpBreachesAtOnce(t *testing.T) {
	f := submitted(t, prioritiesPolicy)
	f.mustDecide(70, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	f.advance(71)
	wantTime(t, "the breach", f.ticket.FirstResponse.BreachedAt, 70)
	wantTime(t, "the other", f.ticket.Resolution.BreachedAt, 70)
	if f.ticket.FirstResponse.Reminded {
		t.Error("reminded of a deadline that had passed")
	}
}

func TestReclassify_whilePausedAppliesTheNewTarget(t *testing.T) {
	f := submitted(t, prioritiesPolicy)
	f.write(10, byAgent, ticket.VerbRequestInformation)
	f.mustDecide(20, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	if due, ok := f.ticket.Resolution.Clock.Due(); ok {
		t.Errorf("paused, and due %s", due)
	}
	f.write(30, byCustomer, ticket.VerbCustomerReply)
	f.wantDue(policy.Resolution, 60+20)
}

func TestReopen_afterABreachRepeatsNeitherBreachNorEscalation(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(1, byAgent, ticket.VerbAgentReply)
	f.write(205, byAgent, ticket.VerbResolve)
	wantTime(t, "resolved", f.ticket.Resolution.MetAt, 205)
	f.write(210, byCustomer, ticket.VerbCustomerReply)
	wantZero(t, "resolved", f.ticket.Resolution.MetAt)
	wantTime(t, "broken", f.ticket.Resolution.BreachedAt, 200)
	if r := f.advance(5000); len(r.Events) > 0 {
		t.Errorf("after the reopening: %v", automatic(r.Events))
	}
	f.write(5001, byAgent, ticket.VerbResolve)
	wantTime(t, "resolved again", f.ticket.Resolution.MetAt, 5001)
}

func TestReopen_restoresTheRemainingTime(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.write(20, byAgent, ticket.VerbResolve)
	f.do(40, byAgent, ticket.VerbReopen)
	f.wantDue(policy.Resolution, 220)
	f.advance(219)
	wantZero(t, "broken", f.ticket.Resolution.BreachedAt)
	f.advance(220)
	wantTime(t, "broken", f.ticket.Resolution.BreachedAt, 220)
}

// It stays pending until the ticket is closed.
func TestResolve_withoutAMessageKeepsTheFirstResponsePending(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.do(60, byOperator, ticket.VerbResolve)
	f.advance(101)
	wantTime(t, "broken", f.ticket.FirstResponse.BreachedAt, 100)

	f = submitted(t, plainPolicy)
	f.do(10, byOperator, ticket.VerbResolve)
	f.advance(1000)
	wantZero(t, "broken", f.ticket.FirstResponse.BreachedAt)
	if !f.ticket.Closed() {
		t.Errorf("the ticket is %s", f.ticket.Status)
	}
}

// It returns an error rather than a decision, so that nothing is stored.
func TestDecide_failsWhenADeadlineCannotBeComputed(t *testing.T) {
	p := parse(t, plainPolicy)
	draft := ticket.Draft(number, customer, 1, p)
	_, err := ticket.Decide(draft, ticket.Environment{Policy: p}, ticket.Command{
		Seq: 1, Verb: ticket.VerbSubmit, By: byCustomer, At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Message: 1,
	})
	if err == nil {
		t.Error("a deadline after the year 9999 is accepted")
	}
}

// The targets are 100 hours for the first response and 200 for the resolution.
func TestEarliestDeadline_isTheEarliestPendingOne(t *testing.T) {
	cases := map[string]struct {
		live func(*fixture)
		want float64 // hours; 0: none
	}{
		"both":                          {func(*fixture) {}, 100},
		"the first breached":            {func(f *fixture) { f.advance(150) }, 100},
		"both breached":                 {func(f *fixture) { f.advance(250) }, 100},
		"the first met":                 {func(f *fixture) { f.write(1, byAgent, ticket.VerbAgentReply) }, 200},
		"the first met late":            {func(f *fixture) { f.write(150, byAgent, ticket.VerbAgentReply) }, 200},
		"paused":                        {func(f *fixture) { f.write(1, byAgent, ticket.VerbRequestInformation) }, 0},
		"the first breached, in a halt": {func(f *fixture) { f.advance(150); f.do(151, bySupervisor, ticket.VerbEmergencyPause) }, 100},
		"a halt":                        {func(f *fixture) { f.do(1, bySupervisor, ticket.VerbEmergencyPause) }, 0},
		"resolved":                      {func(f *fixture) { f.write(1, byAgent, ticket.VerbResolve) }, 0},
		"closed, both broken":           {func(f *fixture) { f.advance(250); f.do(251, byAgent, ticket.VerbClose) }, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, plainPolicy)
			c.live(f)
			want := time.Time{}
			if c.want > 0 {
				want = at(c.want)
			}
			if got := f.ticket.OwedAt(); !got.Equal(want) {
				t.Errorf("owed at %s, want %s", got, want)
			}
		})
	}
}

func TestNextForRequester_skipsWhatIsInternalToStaff(t *testing.T) {
	for name, c := range map[string]struct {
		now         float64
		snoozed     bool
		staff, next ticket.DueKind
		due         float64
	}{
		"a reminder":          {1, false, ticket.DueReminder, ticket.DueBreach, 100},
		"the end of a snooze": {1, true, ticket.DueWake, ticket.DueBreach, 100},
		"an escalation step":  {110, false, ticket.DueEscalation, ticket.DueBreach, 200},
	} {
		f := submitted(t, plainPolicy)
		if c.snoozed {
			f.mustDecide(1, byAgent, ticket.Command{Verb: ticket.VerbSnooze, Until: at(50)})
		}
		r, err := ticket.Advance(f.ticket, f.desk(), at(c.now))
		if err != nil {
			t.Fatal(err)
		}
		f.add(r)
		if m, _ := ticket.Next(f.ticket, f.policy); m.Kind != c.staff {
			t.Errorf("%s: staff see %+v", name, m)
		}
		if m, ok := ticket.NextForRequester(f.ticket, f.policy); !ok || m.Kind != c.next || !m.Due.Equal(at(c.due)) {
			t.Errorf("%s: the requester sees %+v, want %s at %gh", name, m, c.next, c.due)
		}
	}
}
