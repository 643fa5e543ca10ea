package workflows_test

import (
	"errors"
	"slices"
	"testing"
	"time"

	"go.temporal.io/sdk/temporal"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// failSteps makes steps fail with err until some time after the submission.
func (s *fixture) failSteps(until time.Duration, err error) {
	s.desk.OnStep(func(ticket.StepRequest) error {
		if s.env.Now().Before(begin.Add(until)) {
			return err
		}
		return nil
	})
}

func TestStep_aShortOutageIsSatOutLocally(t *testing.T) {
	s := newFixture(t)
	tries := 0
	s.desk.OnStep(func(ticket.StepRequest) error {
		if tries++; tries <= 3 {
			return away
		}
		return nil
	})
	s.closeAt(1 * h)
	s.run()
	s.checkTimeline("0s submitted", "1h0m0s closed by agent")
	if slices.Contains(s.regular, workflows.StepActivity) {
		t.Error("the step became a regular activity")
	}
	if n := len(s.desk.Steps()); n != 5 {
		t.Errorf("%d steps, want 3 that failed and 2 that did not", n)
	}
}

func TestStep_anOutageOfDaysIsOneRegularActivityAndFailsNothing(t *testing.T) {
	for _, kind := range []fault.Kind{fault.Unavailable, fault.Internal, fault.Conflict, fault.Invalid, fault.Limited} {
		t.Run(kind.String(), func(t *testing.T) {
			s := newFixture(t)
			s.failSteps(5*h, fault.New(kind, "not now"))
			s.ask(6*h, words(alice, ticket.VerbAgentReply))
			s.closeAt(7 * h)
			s.run()
			s.checkTimeline("0s submitted", "6h0m0s assigned", "6h0m0s agent-replied", "7h0m0s closed by agent")
			steps := slices.DeleteFunc(s.regular, func(activity string) bool { return activity != workflows.StepActivity })
			if len(steps) != 1 {
				t.Errorf("%d steps became regular activities, want 1", len(steps))
			}
		})
	}
}

func TestStep_anUnknownTicketFailsTheWorkflowAtOnce(t *testing.T) {
	s := newFixture(t)
	s.execute(workflows.Start{Number: "HM-0000000000"})
	failure, ok := errors.AsType[*temporal.ApplicationError](s.env.GetWorkflowError())
	if !ok || failure.Message() == "" {
		t.Fatalf("the workflow ended with %v", s.env.GetWorkflowError())
	}
	if cause, ok := errors.AsType[*temporal.ApplicationError](errors.Unwrap(failure)); !ok || cause.Type() != "not-found" {
		t.Errorf("its cause is %v", errors.Unwrap(failure))
	}
	if n := len(s.desk.Steps()); n != 1 {
		t.Errorf("%d tries", n)
	}
}

// The transaction was committed, and the answer never came: the second time changes nothing.
func TestStep_aLostAnswerIsAskedForAgainAndNothingHappensTwice(t *testing.T) {
	s := newFixture(t)
	answers := 0
	s.desk.OnAnswer(func(ticket.StepRequest) error {
		if answers++; answers%2 == 1 {
			return away
		}
		return nil
	})
	s.mails(func(m ticket.Owed) (bool, error) { return m.Kind == ticket.MailReminder, nil })
	s.signalByHand(1*h, ticket.VerbAssign, workflows.Signal{Agent: "alice"})
	s.ask(25*h, words(alice, ticket.VerbAgentReply))
	s.closeAt(26 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "12h0m0s reminded first_response", "12h0m0s mail-bounced",
		"24h0m0s breached first_response", "24h0m0s escalated first_response 1",
		"25h0m0s agent-replied", "26h0m0s closed by agent",
	)
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE",
		"5 escalation to P-ALICE", "6 escalation to P-SUPERVISOR", "7 reply to P-CUSTOMER", "8 closure to P-CUSTOMER",
	)
}
