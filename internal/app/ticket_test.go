package app_test

import (
	"context"
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func parse(t *testing.T, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// customerChoosesPolicy lets customers choose the priority. Its targets depend on the priority.
const customerChoosesPolicy = `
time_zone: UTC
clocks: {first_response: {target: 10h, counts: calendar}, resolution: {target: 20h, counts: calendar, pauses: [waiting, resolved]}}
priorities: {urgent: {first_response: 1h}}
customers_choose_priority: true
categories: [boats, engines]
`

func TestSubmit_setsDefaultsAndWakesTheRelay(t *testing.T) {
	s, d := newTickets(parse(t, customerChoosesPolicy))
	got, err := d.Submit(context.Background(), customer, desk.Submission{Number: number, Subject: "Leak", Body: "It sinks."})
	if err != nil {
		t.Fatal(err)
	}
	want := desk.Receipt{
		Accepted: desk.Accepted{Number: number, Seq: 1, At: submitted, Policy: 1, Priority: policy.PriorityNormal, Category: "boats"},
		Promises: policy.Deadlines{FirstResponse: submitted.Add(10 * time.Hour), Resolution: submitted.Add(20 * time.Hour)},
	}
	want.Expected = want.Promises
	if !reflect.DeepEqual(got, want) {
		t.Errorf("the receipt is %+v, want %+v", got, want)
	}
	if sub := s.submissions[0]; sub.Category != "boats" || sub.Priority != policy.PriorityNormal {
		t.Errorf("accepted %+v", sub)
	}
	if s.wakes != 1 {
		t.Errorf("the relay was woken %d times", s.wakes)
	}
	got, err = d.Submit(context.Background(), customer, desk.Submission{Number: number, Priority: policy.PriorityUrgent, Category: "engines"})
	if err != nil || !got.Promises.FirstResponse.Equal(submitted.Add(time.Hour)) || got.Category != "engines" {
		t.Errorf("an urgent ticket gets %+v: %v", got, err)
	}
}

// Another version is published between the check and the acceptance.
func TestSubmit_usesThePinnedPolicy(t *testing.T) {
	s, d := newTickets(policy.Default(), parse(t, customerChoosesPolicy))
	s.accepted.Policy = 2
	got, err := d.Submit(context.Background(), customer, desk.Submission{Number: number})
	if err != nil || !got.Promises.Resolution.Equal(submitted.Add(20*time.Hour)) {
		t.Errorf("the receipt is %+v: %v", got, err)
	}
}

// The policy in force has neither the category nor the priority of the first submission.
func TestSubmit_isIdempotent(t *testing.T) {
	s, d := newTickets(parse(t, customerChoosesPolicy), policy.Default())
	s.version = 2
	again := desk.Submission{Category: "engines", Priority: policy.PriorityUrgent, IdempotencyKey: desk.IdempotencyKey{Key: "k"}}
	if _, err := d.Submit(context.Background(), customer, again); fault.KindOf(err) != fault.Invalid {
		t.Errorf("the first time it is answered %v", err)
	}
	s.repeated = desk.Accepted{Number: number, Seq: 1, At: submitted, Policy: 1, Again: true, Priority: policy.PriorityUrgent, Category: "engines"}
	got, err := d.Submit(context.Background(), customer, again)
	want := desk.Receipt{Accepted: s.repeated, Promises: policy.Deadlines{FirstResponse: submitted.Add(time.Hour), Resolution: submitted.Add(20 * time.Hour)}}
	want.Expected = want.Promises
	if err != nil || !reflect.DeepEqual(got, want) || len(s.submissions) > 0 {
		t.Errorf("the receipt is %+v, want %+v: %v", got, want, err)
	}
	s.acceptError = fault.NewConflict("reused", "the key was another request's")
	if _, err := d.Submit(context.Background(), customer, again); fault.KindOf(err) != fault.Conflict {
		t.Errorf("a key that was used for something else: %v", err)
	}
}

func TestSubmit_namesInvalidFields(t *testing.T) {
	long := desk.Submission{
		Subject: strings.Repeat("ä", desk.MaxSubject+1), Body: strings.Repeat("x", desk.MaxBody+1), Category: "boats", Priority: "huge",
	}
	cases := map[string]struct {
		by     desk.Person
		s      desk.Submission
		fields string
	}{
		"everything":                    {customer, long, "category priority subject body"},
		"as much as there may be":       {customer, desk.Submission{Subject: strings.Repeat("ä", desk.MaxSubject), Body: strings.Repeat("x", desk.MaxBody)}, ""},
		"a priority that is the desk's": {customer, desk.Submission{Priority: policy.PriorityUrgent}, "priority"},
		"the one priority they have":    {customer, desk.Submission{Priority: policy.PriorityNormal}, ""},
		"the desk's own choice":         {agent, desk.Submission{Priority: policy.PriorityUrgent}, ""},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, d := newTickets(policy.Default())
			_, err := d.Submit(context.Background(), c.by, c.s)
			var fields []string
			if e, ok := errors.AsType[*fault.Error](err); ok && e.Kind == fault.Invalid {
				for _, detail := range e.Details {
					fields = append(fields, detail.Field)
				}
			}
			if got := strings.Join(fields, " "); got != c.fields || (err == nil) != (c.fields == "") {
				t.Errorf("refused for %q (%v), want %q", got, err, c.fields)
			}
			if accepted := len(s.submissions) == 1; accepted != (err == nil) || accepted != (s.wakes == 1) {
				t.Errorf("accepted %d, woken %d, answered %v", len(s.submissions), s.wakes, err)
			}
		})
	}
}

func TestSubmit_doesNotWakeTheRelayOnError(t *testing.T) {
	s, d := newTickets(policy.Default())
	s.acceptError = errAway
	if _, err := d.Submit(context.Background(), customer, desk.Submission{}); !errors.Is(err, errAway) || s.wakes > 0 {
		t.Errorf("answered %v, woken %d", err, s.wakes)
	}
}

// Concurrent submissions read the policy a few times at most. Errors are not cached.
func TestSubmit_cachesThePolicyInForce(t *testing.T) {
	const rush = 200
	s, d := newTickets(policy.Default())
	s.policyError = errAway
	if _, err := d.Submit(context.Background(), customer, desk.Submission{}); !errors.Is(err, errAway) {
		t.Errorf("without a policy the answer is %v", err)
	}
	s.policyError, s.asked = nil, 0
	if _, err := d.Submit(context.Background(), customer, desk.Submission{}); err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range rush {
		wg.Go(func() {
			if _, err := d.Submit(context.Background(), customer, desk.Submission{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if len(s.submissions) != rush+1 || s.asked > rush/4 {
		t.Errorf("%d accepted, asked %d times", len(s.submissions), s.asked)
	}
}

// A command that is accepted under a lease is delivered by its process, and the relay is not woken.
func TestCommand_isDeliveredUnderItsLease(t *testing.T) {
	request := desk.Request{Number: number, Verb: ticket.VerbAssign}
	for name, c := range map[string]struct {
		accept error
		again  bool
		direct int
		wakes  int // what was accepted before may have been left behind
	}{
		"accepted": {direct: 1}, "not accepted": {accept: errAway}, "accepted before": {again: true, wakes: 1},
	} {
		t.Run(name, func(t *testing.T) {
			s, d := newTickets(policy.Default())
			s.lease, s.acceptError = "a lease", c.accept
			s.accepted.Seq, s.accepted.Again = 5, c.again
			_, err := d.Send(context.Background(), agent, request)
			if !errors.Is(err, c.accept) || s.wakes != c.wakes || len(s.direct) != c.direct || s.cancelled != 1-c.direct {
				t.Fatalf("%d delivered, %d cancelled, %d woken: %v", len(s.direct), s.cancelled, s.wakes, err)
			}
			if c.direct == 1 && !reflect.DeepEqual(s.direct[0], s.accepted.Command(agent, request)) {
				t.Errorf("delivered %+v", s.direct[0])
			}
		})
	}
}

func TestCommand_returnsTheOutcome(t *testing.T) {
	refused := ticket.Outcome{Refused: true, Code: ticket.CodeClosed, Reason: "closed permanently"}
	cases := map[string]struct {
		outcome     ticket.Outcome
		decided     bool
		accept      error
		await       error
		wantErr     error
		wantDecided bool
		wakes       int
	}{
		"granted":                {decided: true, wantDecided: true, wakes: 1},
		"refused":                {outcome: refused, decided: true, wantDecided: true, wakes: 1},
		"not decided in time":    {wakes: 1},
		"not accepted":           {accept: errAway, wantErr: errAway},
		"accepted, and then out": {await: errAway, wantErr: errAway, wakes: 1}, // the number shows that the command is stored
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s, d := newTickets(policy.Default())
			s.accepted.Seq = 5
			s.outcome, s.decided, s.acceptError, s.awaitError = c.outcome, c.decided, c.accept, c.await
			a, o, decided, err := d.Command(context.Background(), agent, desk.Request{Number: number, Verb: ticket.VerbNote})
			if !errors.Is(err, c.wantErr) || decided != c.wantDecided || o != c.outcome || s.wakes != c.wakes {
				t.Errorf("decided %v as %+v, woken %d: %v", decided, o, s.wakes, err)
			}
			if c.accept != nil {
				return
			}
			if a != s.accepted {
				t.Errorf("accepted %+v, want %+v", a, s.accepted)
			}
			if s.awaitTimeout <= 0 || s.awaitTimeout > 2*time.Second {
				t.Errorf("waits for %s", s.awaitTimeout)
			}
		})
	}
}
