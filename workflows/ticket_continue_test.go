package workflows_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"go.temporal.io/sdk/converter"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// continuedWith returns the input of the run after one that has ended.
func (s *fixture) continuedWith() workflows.Start {
	s.t.Helper()
	again, ok := errors.AsType[*workflow.ContinueAsNewError](s.env.GetWorkflowError())
	if !ok {
		s.t.Fatalf("the run ended with %v, and does not go on as new", s.env.GetWorkflowError())
	}
	var start workflows.Start
	if err := converter.GetDefaultDataConverter().FromPayloads(again.Input, &start); err != nil {
		s.t.Fatalf("read what is handed on: %v", err)
	}
	return start
}

func TestContinueAsNew_goesOnWhereItWas(t *testing.T) {
	s := newFixture(t)
	s.mails(s.until(13*h, desktest.Customer))
	s.signalByHand(1*h, ticket.VerbAssign, workflows.Signal{Agent: "bob"})
	s.ask(2*h, assignToAlice())
	s.at(2*h+time.Minute, func() { // a signal that is not heard fills the history all the same
		s.env.SetContinueAsNewSuggested(true)
		s.env.SignalWorkflow("make-coffee", nil)
	})
	s.desk.Submit(number)
	s.execute(workflows.Start{Number: number})
	start := s.continuedWith()
	if start.Number != number || start.LastCommand != 3 || start.Digest.Command != 3 || start.Received[ticket.VerbAssign] != 2 {
		t.Errorf("handed on: %+v", start)
	}
	if n := len(start.Owed); n < 3 || start.Owed[0].N != 1 || start.Owed[1].N != 2 || start.Owed[2].N != 4 {
		t.Errorf("mails handed on: %v, want the customer's three, in order", start.Owed)
	}
	if !start.Digest.Next.Due.Equal(begin.Add(12 * h)) {
		t.Errorf("next due handed on: %+v", start.Digest.Next)
	}

	s.set(begin.Add(2 * h))
	s.signalByHand(1*h, ticket.VerbAssign, workflows.Signal{Agent: "bob"})
	s.closeAt(22 * h)
	s.execute(start)
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "2h0m0s assigned", "3h0m0s assigned", "12h0m0s reminded first_response",
		"24h0m0s breached first_response", "24h0m0s escalated first_response 1", "24h0m0s closed by agent",
	)
	if left := s.desk.Unsettled(number); len(left) > 0 {
		t.Errorf("mails left: %v", left)
	}
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-BOB", "4 assignment to P-CUSTOMER",
		"5 assigned to P-ALICE", "6 assignment to P-CUSTOMER", "7 assigned to P-BOB", "8 reminder to P-BOB",
		"9 escalation to P-BOB", "10 escalation to P-SUPERVISOR", "11 closure to P-CUSTOMER",
	)
}

func TestContinueAsNew_takesUpEverythingThatItIsHanded(t *testing.T) {
	s := newFixture(t)
	s.desk.Submit(number)
	s.desk.Accept(number, assignToAlice())
	first, err := s.desk.Step(t.Context(), ticket.StepRequest{Number: number, Command: 2})
	if err != nil {
		t.Fatalf("step: %v", err)
	}
	s.closeAt(1 * h)
	s.execute(workflows.Start{
		Number: number, Digest: first.Digest, LastDelivery: 2, LastCommand: 5,
		Claims: []workflows.Claim{{Seq: 5, Verb: ticket.VerbResolve}},
		Manual: []ticket.ManualCommand{{Key: "earlier/1", Verb: ticket.VerbAssign, Agent: "bob"}}, Received: map[ticket.Verb]int{ticket.VerbAssign: 1},
		Owed: first.Owed[1:], Bounced: []int{1},
	})
	if err := s.env.GetWorkflowError(); err != nil {
		t.Fatalf("the run failed: %v", err)
	}
	s.checkTimeline(
		"0s submitted", "0s assigned", "0s assigned", "0s refused resolve: malformed", "0s mail-bounced",
		"1h0m0s closed by agent",
	)
	s.checkMails(
		"2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 assignment to P-CUSTOMER", "5 assigned to P-BOB",
		"6 closure to P-CUSTOMER",
	)
}

func TestContinueAsNew_anOverdueEventFiresAtOnce(t *testing.T) {
	s := newFixture(t)
	s.desk.Submit(number)
	first, err := s.desk.Step(t.Context(), ticket.StepRequest{Number: number, Command: 1})
	if err != nil {
		t.Fatalf("step: %v", err)
	}
	s.set(begin.Add(13 * h))
	s.closeAt(1 * h)
	s.execute(workflows.Start{Number: number, Digest: first.Digest, LastDelivery: 2, LastCommand: 1, Owed: first.Owed})
	s.checkTimeline("0s submitted", "12h0m0s reminded first_response", "14h0m0s closed by agent")
	if want := []time.Duration{11 * h}; !slices.Equal(s.timers, want) {
		t.Errorf("timers: %s, want %s: one for the breach, and none for what was due", s.timers, want)
	}
}

// A run hands on no more signals than its input may hold: the others are taken first.
func TestContinueAsNew_takesWhatWouldBeTooMuchToCarry(t *testing.T) {
	const flood = 450
	s := newFixture(t)
	s.mails(func(ticket.Owed) (bool, error) { return false, away })
	s.at(1*h, func() {
		s.env.SetContinueAsNewSuggested(true)
		s.env.SignalWorkflow("make-coffee", nil)
		for range flood {
			s.env.SignalWorkflowSkippingWorkflowTask(string(ticket.VerbEmergencyExtend), workflows.Signal{Seconds: 60})
		}
	})
	s.desk.Submit(number)
	s.execute(workflows.Start{Number: number})
	start := s.continuedWith()
	if len(start.Manual) > 200 || len(start.Manual)+len(s.desk.Outcomes(number)) != 1+flood || len(start.Owed) != 1 {
		t.Errorf("%d are handed on, %d were decided, mails %v", len(start.Manual), len(s.desk.Outcomes(number)), start.Owed)
	}
}

// A ticket that owes more mails than a run may hold sends them all the same, in order.
func TestTicket_sendsMoreMailsThanItHoldsAtOnce(t *testing.T) {
	const updates = 2*ticket.MaxOwed + 100
	s := newFixture(t)
	s.mails(s.until(10*h, desktest.Customer))
	s.at(1*h, func() {
		for range updates {
			s.desk.Accept(number, words(alice, ticket.VerbProgressUpdate))
		}
		s.deliver(s.desk.Accept(number, words(alice, ticket.VerbNote)))
	})
	var report workflows.Report
	s.at(2*h, func() { report = s.report() })
	s.closeAt(11 * h)
	s.run()
	if report.OwedTotal == 0 || report.OwedTotal >= 2*ticket.MaxOwed || len(report.Owed) > 10 {
		t.Errorf("the run holds %d mails, and the query lists %d", report.OwedTotal, len(report.Owed))
	}
	if len(s.sent) != updates+2 || !slices.IsSortedFunc(s.sent, func(a, b ticket.Owed) int { return a.N - b.N }) {
		t.Errorf("%d mails were sent of %d", len(s.sent), updates+2)
	}
}

// A mail server may be slow to say whether it has a mail, and a run that is to end waits for that. The ticket lives on.
func TestContinueAsNew_decidesWhileItWaitsForMail(t *testing.T) {
	t.Parallel()
	s := desktest.NewSite(t, policy.Default())
	answer := make(chan struct{})
	s.OnMail(func(context.Context, ticket.Owed) (bool, error) {
		<-answer // whether it is withdrawn or not
		return false, nil
	})
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	signalByHand(s, ticket.VerbAssign, map[string]any{"agent": strings.Repeat("a", 256<<10)}) // the run is to end
	s.Await("its refusal", func() bool { return s.State(number).Command == 2 })
	s.Ask(number, words(alice, ticket.VerbAgentReply))
	s.Ask(number, words(alice, ticket.VerbNote))
	d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(number), "")
	s.Check(err)
	if info := d.GetWorkflowExecutionInfo(); info.GetExecution().GetRunId() != info.GetFirstRunId() {
		t.Error("another run has begun without the answer")
	}
	close(answer)
	s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: alice})
	s.Ended(number)
	if n := runs(t, s); n != 2 {
		t.Errorf("it ended in run %d", n)
	}
}
