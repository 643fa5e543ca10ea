package ticket_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// tight promises more for the higher priorities.
const tight = plain + `
priorities:
  high: {first_response: 50h, resolution: 120h}
  urgent: {first_response: 8h, resolution: 60h}
`

// TestDeadline_isKeptStrictlyBefore: an answer is judged by its acceptance, whenever it is taken.
func TestDeadline_isKeptStrictlyBefore(t *testing.T) {
	for _, c := range []struct {
		hours float64
		kept  bool
	}{{99, true}, {100 - 1.0/3600, true}, {100, false}, {100 + 1.0/3600, false}, {5000, false}} {
		l := submitted(t, plain)
		l.says(c.hours, byAgent, ticket.VerbAgentReply)
		if kept := l.ticket.FirstResponse.BreachedAt.IsZero(); kept != c.kept {
			t.Errorf("answered after %gh: kept is %v, want %v", c.hours, kept, c.kept)
		}
		instant(t, "the answer", l.ticket.FirstResponse.MetAt, c.hours)
		if !c.kept {
			instant(t, "the breach", l.ticket.FirstResponse.BreachedAt, 100)
		}

		l = submitted(t, plain)
		l.says(1, byAgent, ticket.VerbAgentReply)
		l.says(c.hours*2, byAgent, ticket.VerbResolve)
		if kept := l.ticket.Resolution.BreachedAt.IsZero(); kept != c.kept {
			t.Errorf("resolved after %gh: kept is %v, want %v", c.hours*2, kept, c.kept)
		}
	}
}

// TestOverdue_isRecordedAtItsDueInstants: whoever was away for a year finds every moment where it belongs, in order.
func TestOverdue_isRecordedAtItsDueInstants(t *testing.T) {
	want := []string{
		"reminded first_response 75",
		"breached first_response 100", "escalated first_response rung 1 100", "escalated first_response rung 2 124",
		"reminded resolution 160",
		"breached resolution 200", "escalated resolution rung 1 200", "escalated resolution rung 2 224",
	}
	late := submitted(t, plain)
	late.until(24 * 365)
	same(t, "a year late", moments(late.events), want)

	prompt := submitted(t, plain)
	for m, ok := ticket.Next(prompt.ticket, prompt.policy); ok; m, ok = ticket.Next(prompt.ticket, prompt.policy) {
		r := prompt.until(m.Due.Sub(birth).Hours())
		if len(r.Events) == 0 {
			t.Fatalf("at %s nothing happened, and %+v is still next", m.Due, m)
		}
	}
	same(t, "one by one", moments(prompt.events), want)

	byCommand := submitted(t, plain)
	byCommand.says(24*365, byAgent, ticket.VerbNote)
	same(t, "ahead of a late command", moments(byCommand.events), want)
	if e := byCommand.events[len(byCommand.events)-1]; e.Kind != ticket.EventNoted || e.N != len(want)+2 {
		t.Errorf("the last event is %d %s", e.N, e.Kind)
	}
}

func TestMoment_waitsUntilItsInstant(t *testing.T) {
	for _, hours := range []float64{75, 100, 124, 160, 200, 224} {
		l := submitted(t, plain)
		l.until(hours - 1.0/3600)
		before := len(l.events)
		l.until(hours)
		if len(l.events) == before {
			t.Errorf("nothing happens at %gh, or it happens a second early", hours)
		}
	}
}

// TestMoments_ofOneInstant come promise by promise, and before what silence brings.
func TestMoments_ofOneInstant(t *testing.T) {
	l := submitted(t, `
time_zone: UTC
clocks:
  first_response: {target: 4h, counts: calendar, remind_at: 50%}
  resolution: {target: 4h, counts: calendar, remind_at: 50%}
silence: {close_after: 4h}
escalation: [{after: 0s, tell: [supervisors]}]
`)
	l.does(0, byHand, ticket.VerbResolve)
	l.does(0, byHand, ticket.VerbReopen)
	l.until(4)
	same(t, "moments", moments(l.events), []string{
		"reminded first_response 2", "reminded resolution 2",
		"breached first_response 4", "escalated first_response rung 1 4",
		"breached resolution 4", "escalated resolution rung 1 4",
	})

	l = submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 4h, counts: calendar}, resolution: {target: 9h, counts: calendar}}\nsilence: {close_after: 4h}\n")
	l.does(0, byHand, ticket.VerbResolve)
	l.until(4)
	same(t, "moments", moments(l.events), []string{"breached first_response 4", "closed 4"})
}

func TestReminder_isNotSentAboutWhatIsDone(t *testing.T) {
	l := submitted(t, plain)
	l.says(74, byAgent, ticket.VerbAgentReply)
	l.until(159)
	same(t, "moments", moments(l.events), nil)
	l.says(159.5, byAgent, ticket.VerbResolve)
	l.until(170)
	same(t, "moments", moments(l.events), nil)
}

// TestLadder_endsWithWhatEndsIt: after the first rung of the first response, each of these keeps the second away.
func TestLadder_endsWithWhatEndsIt(t *testing.T) {
	cases := map[string]struct {
		by   ticket.Actor
		c    ticket.Command
		ends bool
	}{
		"an acknowledgement":    {byAgent, ticket.Command{Verb: ticket.VerbAcknowledge}, true},
		"one by hand":           {byHand, ticket.Command{Verb: ticket.VerbAcknowledge}, true},
		"a reply":               {byAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 9}, true},
		"a request":             {byAgent, ticket.Command{Verb: ticket.VerbRequestInformation, Message: 9}, true},
		"a resolution":          {byAgent, ticket.Command{Verb: ticket.VerbResolve, Message: 9}, true},
		"a wordless resolution": {byHand, ticket.Command{Verb: ticket.VerbResolve}, true},
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
			l := submitted(t, plain)
			l.until(101)
			if got := l.ticket.Rung(); got != 1 {
				t.Fatalf("rung %d an hour after the breach, want 1", got)
			}
			l.granted(102, c.by, c.c)
			if calm := l.ticket.Rung() == 0; calm != c.ends {
				t.Errorf("the rung is %d", l.ticket.Rung())
			}
			l.until(130)
			rungs := l.ticket.FirstResponse.Rungs
			if c.ends && rungs != 1 || !c.ends && rungs != 2 {
				t.Errorf("%d rungs have fired", rungs)
			}
		})
	}
}

// TestLadder_ofTheOtherPromiseIsItsOwn: who acknowledged one breach has not acknowledged the next.
func TestLadder_ofTheOtherPromiseIsItsOwn(t *testing.T) {
	l := submitted(t, plain)
	l.does(101, byAgent, ticket.VerbAcknowledge)
	l.until(1000)
	same(t, "moments", moments(l.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response rung 1 100",
		"reminded resolution 160",
		"breached resolution 200", "escalated resolution rung 1 200", "escalated resolution rung 2 224",
	})
	r := l.take(1001, byAgent, ticket.Command{Verb: ticket.VerbAcknowledge, Message: 12})
	if r.Outcome.Refused || r.Events[0].Message != 12 {
		t.Errorf("a ladder at its top is acknowledged too, with its reason: %+v", r)
	}
}

func TestLadder_withoutRungsLeavesTheBreach(t *testing.T) {
	l := submitted(t, "time_zone: UTC\nclocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar}}\n")
	l.until(1000)
	same(t, "moments", moments(l.events), []string{"breached first_response 1", "breached resolution 2"})
	if m, ok := ticket.Next(l.ticket, l.policy); ok {
		t.Errorf("next is %+v, want nothing", m)
	}
}

func TestRaisePriority_raisesOnceARungAndTightensWhatIsStillOwed(t *testing.T) {
	l := submitted(t, tight)
	l.until(100)
	if l.ticket.Priority != policy.PriorityHigh {
		t.Errorf("the priority is %s after one rung", l.ticket.Priority)
	}
	l.due(policy.Resolution, 120)
	l.until(120)
	if l.ticket.Priority != policy.PriorityUrgent {
		t.Errorf("the priority is %s after both breaches", l.ticket.Priority)
	}
	l.until(1000)
	same(t, "moments", moments(l.events), []string{
		"reminded first_response 75", "breached first_response 100", "escalated first_response rung 1 100",
		"reminded resolution 100", // 80% of 120h have passed when the priority is raised
		"breached resolution 120", "escalated resolution rung 1 120",
		"escalated first_response rung 2 124", "escalated resolution rung 2 144",
	})
	if l.ticket.Priority != policy.PriorityUrgent {
		t.Errorf("the priority is %s in the end: the second rung raises nothing", l.ticket.Priority)
	}
}

func TestRaisePriority_stopsAtUrgent(t *testing.T) {
	l := submitted(t, plain)
	l.granted(1, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	r := l.until(100)
	last := r.Events[len(r.Events)-1]
	if last.Kind != ticket.EventEscalated || last.Priority != "" || l.ticket.Priority != policy.PriorityUrgent {
		t.Errorf("the rung is %+v, the priority %s", last, l.ticket.Priority)
	}
}

func TestReclassify_movesTheDeadlinesOfWhatIsOwed(t *testing.T) {
	l := submitted(t, tight)
	l.granted(10, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh})
	l.due(policy.FirstResponse, 50)
	l.due(policy.Resolution, 120)
	l.says(20, byAgent, ticket.VerbAgentReply)
	l.granted(30, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityNormal})
	l.due(policy.FirstResponse, 50) // given: nothing can be promised about it any more
	l.due(policy.Resolution, 200)
}

// TestReclassify_toATargetAlreadyUsedUpBreaksItThere and not in the past.
func TestReclassify_toATargetAlreadyUsedUpBreaksItThere(t *testing.T) {
	l := submitted(t, tight)
	l.granted(70, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	l.until(71)
	instant(t, "the breach", l.ticket.FirstResponse.BreachedAt, 70)
	instant(t, "the other", l.ticket.Resolution.BreachedAt, 70)
	if l.ticket.FirstResponse.Reminded {
		t.Error("reminded of a deadline that had passed")
	}
}

func TestReclassify_whilePausedCountsOnTheNewTarget(t *testing.T) {
	l := submitted(t, tight)
	l.says(10, byAgent, ticket.VerbRequestInformation)
	l.granted(20, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	if due, ok := l.ticket.Resolution.Clock.Due(); ok {
		t.Errorf("paused, and due %s", due)
	}
	l.says(30, byCustomer, ticket.VerbCustomerReply)
	l.due(policy.Resolution, 60+20)
}

// TestReopen_afterABreach: a clock is broken once. Neither the breach nor its ladder comes again.
func TestReopen_afterABreach(t *testing.T) {
	l := submitted(t, plain)
	l.says(1, byAgent, ticket.VerbAgentReply)
	l.says(205, byAgent, ticket.VerbResolve)
	instant(t, "resolved", l.ticket.Resolution.MetAt, 205)
	l.says(210, byCustomer, ticket.VerbCustomerReply)
	never(t, "resolved", l.ticket.Resolution.MetAt)
	instant(t, "broken", l.ticket.Resolution.BreachedAt, 200)
	if r := l.until(5000); len(r.Events) > 0 {
		t.Errorf("after the reopening: %v", moments(r.Events))
	}
	l.says(5001, byAgent, ticket.VerbResolve)
	instant(t, "resolved again", l.ticket.Resolution.MetAt, 5001)
}

func TestReopen_givesBackWhatWasLeft(t *testing.T) {
	l := submitted(t, plain)
	l.says(20, byAgent, ticket.VerbResolve)
	l.does(40, byAgent, ticket.VerbReopen)
	l.due(policy.Resolution, 220)
	l.until(219)
	never(t, "broken", l.ticket.Resolution.BreachedAt)
	l.until(220)
	instant(t, "broken", l.ticket.Resolution.BreachedAt, 220)
}

// TestResolve_withoutWordsStillOwesAnAnswer until the ticket is closed.
func TestResolve_withoutWordsStillOwesAnAnswer(t *testing.T) {
	l := submitted(t, plain)
	l.does(60, byHand, ticket.VerbResolve)
	l.until(101)
	instant(t, "broken", l.ticket.FirstResponse.BreachedAt, 100)

	l = submitted(t, plain)
	l.does(10, byHand, ticket.VerbResolve)
	l.until(1000)
	never(t, "broken", l.ticket.FirstResponse.BreachedAt)
	if !l.ticket.Closed() {
		t.Errorf("the ticket is %s", l.ticket.Status)
	}
}

// TestTake_withAClockThatCannotBeReached fails instead of deciding: nothing may be stored.
func TestTake_withAClockThatCannotBeReached(t *testing.T) {
	p := parse(t, plain)
	draft := ticket.Draft(number, customer, 1, p)
	_, err := ticket.Take(draft, ticket.Desk{Policy: p}, ticket.Command{
		Seq: 1, Verb: ticket.VerbSubmit, By: byCustomer, At: time.Date(9999, 12, 31, 0, 0, 0, 0, time.UTC), Message: 1,
	})
	if err == nil {
		t.Error("a deadline after the year 9999 is accepted")
	}
}

// TestOwedAt_isTheEarliestPromiseThatIsOwed, broken or not. The first response is promised after 100 hours and the
// resolution after 200.
func TestOwedAt_isTheEarliestPromiseThatIsOwed(t *testing.T) {
	cases := map[string]struct {
		live func(*life)
		want float64 // hours; 0: none
	}{
		"both":                        {func(*life) {}, 100},
		"the first broken":            {func(l *life) { l.until(150) }, 100},
		"both broken":                 {func(l *life) { l.until(250) }, 100},
		"the first kept":              {func(l *life) { l.says(1, byAgent, ticket.VerbAgentReply) }, 200},
		"the first kept late":         {func(l *life) { l.says(150, byAgent, ticket.VerbAgentReply) }, 200},
		"paused":                      {func(l *life) { l.says(1, byAgent, ticket.VerbRequestInformation) }, 0},
		"the first broken, in a halt": {func(l *life) { l.until(150); l.does(151, bySupervisor, ticket.VerbEmergencyPause) }, 100},
		"a halt":                      {func(l *life) { l.does(1, bySupervisor, ticket.VerbEmergencyPause) }, 0},
		"resolved":                    {func(l *life) { l.says(1, byAgent, ticket.VerbResolve) }, 0},
		"closed, both broken":         {func(l *life) { l.until(250); l.does(251, byAgent, ticket.VerbClose) }, 0},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			l := submitted(t, plain)
			c.live(l)
			want := time.Time{}
			if c.want > 0 {
				want = at(c.want)
			}
			if got := l.ticket.OwedAt(); !got.Equal(want) {
				t.Errorf("owed at %s, want %s", got, want)
			}
		})
	}
}
