package ticket_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// escalationPolicy has targets of 100 hours for the first response and 200 for the resolution, whatever the priority.
const escalationPolicy = `
time_zone: UTC
clocks: {first_response: {target: 100h, counts: calendar}, resolution: {target: 200h, counts: calendar}}
escalation:
  - {after: 0s, priorities: [urgent], tell: [supervisors, {webhook: ops}]}
  - {after: 10h, priorities: [urgent], clocks: [first_response], tell: [administrators, {person: boss}]}
  - {after: 0s, priorities: [low, normal, high], tell: [assignee]}
  - {after: 20h, tell: [assignee, {webhook: ops}]}
  - {after: 50h, clocks: [resolution], tell: [{person: boss}, {webhook: watch}]}
`

// priorityChange is an agent's command, in hours after the submission.
type priorityChange struct {
	at float64
	to policy.Priority
}

func TestEscalation_firesTheStepsOfTheCurrentPriority(t *testing.T) {
	step := func(clock string, n int, at float64) string {
		return fmt.Sprintf("escalated %s step %d %g", clock, n, at)
	}
	first := func(n int, at float64) string { return step("first_response", n, at) }
	for name, c := range map[string]struct {
		changes []priorityChange
		want    []string // up to 150h
	}{
		"normal throughout":              {nil, []string{first(3, 100), first(4, 120)}},
		"urgent before":                  {[]priorityChange{{50, "urgent"}}, []string{first(1, 100), first(2, 110), first(4, 120)}},
		"urgent at the breach":           {[]priorityChange{{100, "urgent"}}, []string{first(3, 100), first(1, 100), first(2, 110), first(4, 120)}},
		"raised: what it missed comes":   {[]priorityChange{{105, "urgent"}}, []string{first(3, 100), first(1, 105), first(2, 110), first(4, 120)}},
		"raised late: all of it comes":   {[]priorityChange{{130, "urgent"}}, []string{first(3, 100), first(4, 120), first(1, 130), first(2, 130)}},
		"lowered: what it missed comes":  {[]priorityChange{{50, "urgent"}, {105, "low"}}, []string{first(1, 100), first(3, 105), first(4, 120)}},
		"to and fro: none comes twice":   {[]priorityChange{{105, "urgent"}, {106, "normal"}, {107, "urgent"}, {108, "low"}}, []string{first(3, 100), first(1, 105), first(4, 120)}},
		"away at its time, back later":   {[]priorityChange{{105, "urgent"}, {109, "normal"}, {140, "urgent"}}, []string{first(3, 100), first(1, 105), first(4, 120), first(2, 140)}},
		"changed to what has no own one": {[]priorityChange{{105, "high"}}, []string{first(3, 100), first(4, 120)}},
	} {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, escalationPolicy)
			for _, change := range c.changes {
				f.mustDecide(change.at, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: change.to})
			}
			f.advance(150)
			got := slices.DeleteFunc(automatic(f.events), func(m string) bool { return m == "breached first_response 100" })
			wantEqual(t, "steps", got, c.want)
		})
	}
}

func TestEscalation_firesTheStepsOfTheBreachedPromise(t *testing.T) {
	f := submitted(t, escalationPolicy)
	f.write(1, byAgent, ticket.VerbAgentReply)
	f.advance(1000)
	wantEqual(t, "steps", automatic(f.events), []string{
		"breached resolution 200", "escalated resolution step 3 200", "escalated resolution step 4 220", "escalated resolution step 5 250",
	})
}

// Each step fires once.
func TestEscalation_aRaisedPriorityFiresItsStepsAtOnce(t *testing.T) {
	f := submitted(t, `
time_zone: UTC
clocks: {first_response: {target: 100h, counts: calendar}, resolution: {target: 500h, counts: calendar}}
escalation:
  - {after: 0s, priorities: [urgent], tell: [administrators]}
  - {after: 0s, priorities: [normal, high], tell: [assignee], raise_priority: true}
  - {after: 1h, priorities: [high], tell: [supervisors], raise_priority: true}
`)
	f.advance(200)
	wantEqual(t, "steps", automatic(f.events), []string{
		"breached first_response 100", "escalated first_response step 2 100", "escalated first_response step 3 101", "escalated first_response step 1 101",
	})
	if f.ticket.EscalationStep() != 3 || f.ticket.FirstResponse.Skipped != nil {
		t.Errorf("step %d is shown, %v are left", f.ticket.EscalationStep(), f.ticket.FirstResponse.Skipped)
	}
}

func TestEscalation_aPriorityRaisedInAnEmergencyEscalatesAtItsEnd(t *testing.T) {
	f := submitted(t, escalationPolicy)
	f.advance(104)
	f.do(105, bySupervisor, ticket.VerbEmergencyPause)
	f.mustDecide(107, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	if r := f.advance(130); len(r.Events) > 0 {
		t.Errorf("in the emergency %v", automatic(r.Events))
	}
	f.do(145, bySupervisor, ticket.VerbEmergencyResume)
	r := f.advance(170)
	wantEqual(t, "after it", automatic(r.Events), []string{
		"escalated first_response step 1 145", "escalated first_response step 2 150", "escalated first_response step 4 160",
	})
}

func TestEscalation_anAcknowledgementStopsEveryStep(t *testing.T) {
	f := submitted(t, escalationPolicy)
	f.advance(104)
	f.do(105, byAgent, ticket.VerbAcknowledge)
	f.mustDecide(106, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	if r := f.advance(199); len(r.Events) > 0 {
		t.Errorf("after the acknowledgement %v", automatic(r.Events))
	}
}

func TestEscalation_notifiesNamedPeopleAndWebhooks(t *testing.T) {
	f := submitted(t, escalationPolicy)
	f.mustDecide(50, byAgent, ticket.Command{Verb: ticket.VerbReclassify, Priority: policy.PriorityUrgent})
	f.advance(120)
	wantEqual(t, "mails", mailLines(f.mails[1:]), []string{"escalation to supervisors", "escalation to administrators", "escalation to boss", "escalation to supervisors"})
	var calls []string
	for _, c := range f.calls {
		e := f.events[c.Event-1]
		calls = append(calls, fmt.Sprintf("%s %s step %d %s", c.Webhook, c.Clock, c.EscalationStep, c.Priority))
		if e.Kind != ticket.EventEscalated || e.EscalationStep != c.EscalationStep || !c.Breached.Equal(at(100)) {
			t.Errorf("call %+v is owed by %+v", c, e)
		}
	}
	wantEqual(t, "calls", calls, []string{"ops first_response step 1 urgent", "ops first_response step 4 urgent"})
	checkMails(t, f.events, f.mails)
}

// Older states count the steps and have no list of skipped ones.
func TestEscalation_ofAStateWithoutSkippedStepsContinues(t *testing.T) {
	f := submitted(t, plainPolicy)
	f.advance(101)
	state := roundTrip(t, ticket.NewState(f.ticket, f.policy, 1, 0, at(101)))
	data, err := json.Marshal(state.Ticket.FirstResponse)
	if err != nil {
		t.Fatal(err)
	}
	var old map[string]any
	if err := json.Unmarshal(data, &old); err != nil || old["escalation_steps"] != 1.0 || old["skipped"] != nil {
		t.Errorf("a state without skipped steps is written as %s", data)
	}
	r, err := ticket.Advance(state.Ticket, f.desk(), at(150))
	if err != nil {
		t.Fatal(err)
	}
	wantEqual(t, "what follows", automatic(r.Events), []string{"escalated first_response step 2 124"})
}

// checkCalls checks that a decision owes exactly the webhook calls of the escalation steps that fired.
func checkCalls(t testingT, p *policy.Policy, r ticket.Result) {
	t.Helper()
	var want, got []string
	for _, e := range r.Events {
		if e.Kind == ticket.EventEscalated {
			for _, name := range p.Escalation[e.EscalationStep-1].Webhooks {
				want = append(want, fmt.Sprintf("%d %s %s %d", e.N, name, e.Promise, e.EscalationStep))
			}
		}
	}
	for _, c := range r.Calls {
		got = append(got, fmt.Sprintf("%d %s %s %d", c.Event, c.Webhook, c.Clock, c.EscalationStep))
	}
	if !slices.Equal(got, want) {
		t.Fatalf("a step owes the calls %v, want %v", got, want)
	}
}
