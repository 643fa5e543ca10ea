package workflows_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// lost is the input of a workflow that has the submission, and neither its mail nor the command after it.
func (s *fixture) lost() workflows.Start {
	s.t.Helper()
	s.desk.Submit(number)
	result, err := s.desk.Step(s.t.Context(), ticket.StepRequest{Number: number, Command: 1})
	if err != nil {
		s.t.Fatal(err)
	}
	s.desk.Accept(number, assignToAlice())
	return workflows.Start{Number: number, Digest: result.Digest, LastDelivery: result.Digest.LastDelivery}
}

func TestReconcile_takesAcceptedCommandsAndSendsPendingMails(t *testing.T) {
	s := newFixture(t)
	start := s.lost()
	s.at(1*h, func() { s.env.SignalWorkflow(workflows.ReconcileSignal, nil) })
	s.at(2*h, func() {
		s.checkMails("1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE")
	})
	s.closeAt(3 * h)
	s.execute(start)
	if err := s.env.GetWorkflowError(); err != nil {
		t.Fatal(err)
	}
	s.checkMails("1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 closure to P-CUSTOMER")
}

func TestReconcile_repeatedOrWithAnyInputSendsNothingTwiceAndIsNoEvent(t *testing.T) {
	s := newFixture(t)
	s.mails(s.until(5*h, desktest.Customer))
	s.ask(1*h, assignToAlice())
	for i, input := range []any{nil, "garbage", map[string]any{"seq": 99}, make([]byte, 100_000)} {
		s.at(2*h+time.Duration(i)*time.Minute, func() { s.env.SignalWorkflow(workflows.ReconcileSignal, input) })
	}
	s.at(3*h, func() {
		for range 300 {
			s.env.SignalWorkflow(workflows.ReconcileSignal, nil)
		}
	})
	s.at(6*h, func() { s.env.SignalWorkflow(workflows.ReconcileSignal, nil) })
	s.closeAt(7 * h)
	s.run()
	s.checkMails("1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 closure to P-CUSTOMER")
	if n := len(s.regular); n != 4 {
		t.Errorf("%d activities for 4 mails", n)
	}
	if n := len(s.desk.Events(number)); n != 3 {
		t.Errorf("%d events", n)
	}
	if n := len(s.desk.Steps()); n > 30 {
		t.Errorf("%d steps for 305 signals", n)
	}
}
