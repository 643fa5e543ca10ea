package ticket_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// businessPolicy counts each clock differently, in a time zone other than UTC.
const businessPolicy = `
time_zone: Europe/Berlin
hours: {monday: ["10:00-17:00"], tuesday: ["10:00-17:00"], wednesday: ["10:00-17:00"], thursday: ["10:00-17:00"], friday: ["10:00-17:00"]}
clocks:
  first_response: {target: 72h, counts: business_hours, remind_at: 75%}
  resolution: {target: 15d, counts: business_days, pauses: [waiting, resolved]}
silence: {nudge_after: 3d, resolve_after: 7d, close_after: 5d}
escalation: [{after: 0s, tell: [supervisors]}, {after: 24h, tell: [administrators]}]
`

// The label says what is due, when in the policy's time zone, and how much time remains.
func TestState_labelsTheNextDueEvent(t *testing.T) {
	cases := map[string]struct {
		document string
		live     func(*fixture)
		now      float64 // hours after the submission, Monday 10:00 UTC, 11:00 in Berlin
		want     string
	}{
		"a reminder": {businessPolicy, func(*fixture) {}, 1,
			"first response reminder Wed 2 Dec 16:00 CET, 71h of business hours left"},
		"a deadline": {businessPolicy, func(f *fixture) { f.advance(240) }, 240,
			"first response due Mon 7 Dec 13:00 CET, 16h of business hours left"},
		"a deadline in days": {businessPolicy, func(f *fixture) { f.write(0, byAgent, ticket.VerbAgentReply) }, 0.5,
			"resolution due Mon 14 Dec 11:00 CET, 14d23h30m of business days left"},
		"a deadline in calendar time": {plainPolicy, func(f *fixture) { f.write(0, byAgent, ticket.VerbAgentReply); f.advance(160) }, 160.25,
			"resolution due Tue 1 Dec 18:00 UTC, 1d15h45m of calendar time left"},
		"an overdue deadline": {plainPolicy, func(f *fixture) { f.advance(75) }, 101, "first response due Fri 27 Nov 14:00 UTC"},
		"an escalation step":  {plainPolicy, func(f *fixture) { f.advance(100) }, 100, "escalation step 2 of the breached first response Sat 28 Nov 14:00 UTC"},
		"a nudge":             {plainPolicy, func(f *fixture) { f.write(0, byAgent, ticket.VerbRequestInformation) }, 0, "nudge the requester Tue 24 Nov 10:00 UTC"},
		"a resolution": {plainPolicy, func(f *fixture) { f.write(0, byAgent, ticket.VerbRequestInformation); f.advance(24) }, 30,
			"resolve by silence Thu 26 Nov 10:00 UTC"},
		"a closure": {plainPolicy, func(f *fixture) { f.write(0, byAgent, ticket.VerbResolve) }, 0, "close by silence Wed 25 Nov 10:00 UTC"},
		"with seconds": {plainPolicy, func(f *fixture) { f.write(1.0/3600, byAgent, ticket.VerbResolve) }, 1,
			"close by silence Wed 25 Nov 10:00:01 UTC"},
		"nothing": {plainPolicy, func(f *fixture) { f.do(0, byAgent, ticket.VerbClose) }, 0, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, c.document)
			c.live(f)
			s := ticket.NewState(f.ticket, f.policy, 4, 5, at(c.now))
			if s.Next.Label != c.want {
				t.Errorf("the label is %q, want %q", s.Next.Label, c.want)
			}
			if s.Command != 4 || s.LastDelivery != 5 {
				t.Errorf("stored command %d and mail %d", s.Command, s.LastDelivery)
			}
			if next, _ := ticket.Next(f.ticket, f.policy); !s.Next.Same(next) {
				t.Errorf("stored %+v, next is %+v", s.Next, next)
			}
			roundTrip(t, s)
		})
	}
}

func TestSame_ignoresOnlyTheLabel(t *testing.T) {
	m := ticket.DueEvent{Kind: ticket.DueEscalation, Clock: policy.Resolution, EscalationStep: 1, Due: submission, Label: "one"}
	other := m
	other.Label = "another"
	other.Due = submission.In(time.FixedZone("", 3600))
	if !m.Same(other) {
		t.Error("another label makes another due event")
	}
	for name, change := range map[string]func(*ticket.DueEvent){
		"kind":  func(m *ticket.DueEvent) { m.Kind = ticket.DueBreach },
		"clock": func(m *ticket.DueEvent) { m.Clock = policy.FirstResponse },
		"step":  func(m *ticket.DueEvent) { m.EscalationStep = 2 },
		"due":   func(m *ticket.DueEvent) { m.Due = m.Due.Add(time.Second) },
	} {
		other := m
		change(&other)
		if m.Same(other) {
			t.Errorf("another %s makes the same due event", name)
		}
	}
}

// Histories record a digest of the state after every step, and a ticket's history should stay within 40 KB.
func TestState_ofAWholeLifeStaysSmall(t *testing.T) {
	const mostOfOne, mostOfAll = 2500, 10_000
	f := &fixture{t: t, policy: policy.Default()}
	f.ticket = ticket.Draft(number, customer, 1, f.policy)
	sum := 0
	for i, step := range []struct {
		by ticket.Actor
		c  ticket.Command
	}{
		{byCustomer, ticket.Command{Verb: ticket.VerbSubmit, Message: 100001, Priority: policy.PriorityNormal, Category: "delivery"}},
		{bySupervisor, ticket.Command{Verb: ticket.VerbAssign, Assignee: agentOne, Handle: "agent-number-one"}},
		{byAgent, ticket.Command{Verb: ticket.VerbAgentReply, Message: 100002}},
		{byAgent, ticket.Command{Verb: ticket.VerbResolve, Message: 100003}},
		{byCustomer, ticket.Command{Verb: ticket.VerbClose}},
	} {
		f.mustDecide(float64(i), step.by, step.c)
		data, err := json.Marshal(ticket.NewState(f.ticket, f.policy, f.seq, len(f.mails), at(float64(i))))
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("after %s: %d bytes", step.c.Verb, len(data))
		if len(data) > mostOfOne {
			t.Errorf("after %s the state takes %d bytes: %s", step.c.Verb, len(data), data)
		}
		sum += len(data)
	}
	if sum > mostOfAll {
		t.Errorf("the states of a whole life take %d bytes", sum)
	}
}

func TestState_holdsWhatSupervisorsFilterBy(t *testing.T) {
	cases := map[string]struct {
		live func(*fixture)
		want ticket.SearchFields
	}{
		"a new one": {func(*fixture) {}, ticket.SearchFields{Promise: policy.FirstResponse, PromiseDue: at(100)}},
		"answered": {func(f *fixture) { f.write(1, byAgent, ticket.VerbAgentReply) },
			ticket.SearchFields{Promise: policy.Resolution, PromiseDue: at(200)}},
		"a missed target is not the next one": {func(f *fixture) { f.advance(100) },
			ticket.SearchFields{Promise: policy.Resolution, PromiseDue: at(200), Breached: true}},
		"a promise that was given late is not owed": {func(f *fixture) { f.advance(100); f.write(101, byAgent, ticket.VerbAgentReply) },
			ticket.SearchFields{Promise: policy.Resolution, PromiseDue: at(200)}},
		"it waits for the requester": {func(f *fixture) { f.write(1, byAgent, ticket.VerbRequestInformation) },
			ticket.SearchFields{PausedFor: []policy.Reason{policy.ReasonWaiting}}},
		"it waits, and an emergency": {func(f *fixture) {
			f.write(1, byAgent, ticket.VerbRequestInformation)
			f.do(2, bySupervisor, ticket.VerbEmergencyPause)
		}, ticket.SearchFields{PausedFor: []policy.Reason{policy.ReasonEmergency, policy.ReasonWaiting}}},
		"resolved without an answer": {func(f *fixture) { f.write(1, byAgent, ticket.VerbResolve) }, ticket.SearchFields{}},
		"closed":                     {func(f *fixture) { f.do(1, byAgent, ticket.VerbClose) }, ticket.SearchFields{}},
		"closed without ever being answered": {func(f *fixture) { f.advance(100); f.do(101, byAgent, ticket.VerbClose) },
			ticket.SearchFields{Breached: true}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			f := submitted(t, plainPolicy)
			c.live(f)
			s := ticket.NewState(f.ticket, f.policy, 4, 5, at(150))
			if !reflect.DeepEqual(*s.SearchFields, c.want) {
				t.Errorf("got %+v, want %+v", *s.SearchFields, c.want)
			}
			if s.Paused != (len(s.SearchFields.PausedFor) > 0) {
				t.Errorf("paused %t, for %v", s.Paused, s.SearchFields.PausedFor)
			}
		})
	}
}
