package workflows_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	h   = time.Hour
	day = 24 * h
)

func TestTicket_answeredInTimeMissesNoTarget(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, assignToAlice())
	s.ask(2*h, words(alice, ticket.VerbAgentReply))
	s.ask(3*h, words(alice, ticket.VerbResolve))
	s.ask(4*h, ticket.Command{Verb: ticket.VerbClose, By: customer})
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "2h0m0s agent-replied", "3h0m0s resolved by agent",
		"3h0m0s question-delivered", "4h0m0s closed by requester",
	)
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 reply to P-CUSTOMER",
		"5 resolution to P-CUSTOMER", "6 closure to P-CUSTOMER",
	)
}

func TestTicket_remindsBreachesAndEscalatesEachStepOnce(t *testing.T) {
	s := newFixture(t)
	s.closeAt(20 * day)
	s.run()
	s.checkTimeline(
		"0s submitted",
		"12h0m0s reminded first_response",
		"24h0m0s breached first_response", "24h0m0s escalated first_response 1",
		"30h0m0s escalated first_response 2",
		"36h0m0s escalated first_response 3",
		"54h0m0s reminded resolution",
		"72h0m0s breached resolution", "72h0m0s escalated resolution 1",
		"78h0m0s escalated resolution 2",
		"84h0m0s escalated resolution 3",
		"480h0m0s closed by agent",
	)
	s.checkMails(
		"1 receipt to P-CUSTOMER",
		"2 reminder to P-SUPERVISOR",
		"3 escalation to P-SUPERVISOR",
		"4 escalation to P-SUPERVISOR",
		"5 escalation to P-SUPERVISOR", "6 escalation to P-ADMINISTRATOR",
		"7 reminder to P-SUPERVISOR",
		"8 escalation to P-SUPERVISOR",
		"9 escalation to P-SUPERVISOR",
		"10 escalation to P-SUPERVISOR", "11 escalation to P-ADMINISTRATOR",
		"12 closure to P-CUSTOMER",
	)
}

func TestTicket_anAnswerEndsTheEscalation(t *testing.T) {
	s := newFixture(t)
	s.ask(25*h, words(alice, ticket.VerbAgentReply))
	s.closeAt(40 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response",
		"24h0m0s breached first_response", "24h0m0s escalated first_response 1",
		"25h0m0s assigned", "25h0m0s agent-replied", "40h0m0s closed by agent",
	)
}

func TestTicket_waitingStopsTheResolutionAndAReplyResumesIt(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.ask(1*h+40*h, words(customer, ticket.VerbCustomerReply))
	s.closeAt(120 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s information-requested", "1h0m0s question-delivered",
		"25h0m0s nudged", "25h0m0s question-delivered",
		"41h0m0s customer-replied",
		"94h0m0s reminded resolution", // 54 h of running time
		"112h0m0s breached resolution", "112h0m0s escalated resolution 1",
		"118h0m0s escalated resolution 2",
		"120h0m0s closed by agent",
	)
}

func TestTicket_silenceResolvesAndClosesAWaitingTicket(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s information-requested", "1h0m0s question-delivered",
		"25h0m0s nudged", "25h0m0s question-delivered",
		"49h0m0s resolved by silence", "49h0m0s question-delivered", "121h0m0s closed by silence",
	)
}

func TestTicket_resolvedAndReopenedIsClosedBySilenceInTheEnd(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, words(alice, ticket.VerbResolve))
	s.ask(10*h, words(customer, ticket.VerbCustomerReply))
	s.ask(12*h, words(alice, ticket.VerbResolve))
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s resolved by agent", "1h0m0s question-delivered",
		"10h0m0s customer-replied", "10h0m0s reopened",
		"12h0m0s resolved by agent", "12h0m0s question-delivered", "84h0m0s closed by silence",
	)
}

func TestTicket_withdrawnEndsWhenItsLastMailIsSent(t *testing.T) {
	s := newFixture(t)
	s.mails(func(m ticket.Owed) (bool, error) {
		if m.Kind == ticket.MailClosure && s.env.Now().Before(begin.Add(30*h)) {
			return false, away
		}
		return false, nil
	})
	s.ask(2*h, ticket.Command{Verb: ticket.VerbWithdraw, By: customer})
	s.run()
	s.checkTimeline("0s submitted", "2h0m0s closed by withdrawn")
	s.checkMails("1 receipt to P-CUSTOMER", "2 closure to P-CUSTOMER")
	if end := s.env.Now(); end.Before(begin.Add(30*h)) || end.After(begin.Add(31*h)) {
		t.Errorf("the workflow ended at %s", end)
	}
}

func TestTicket_emergencyStopsEveryPromise(t *testing.T) {
	s := newFixture(t)
	s.ask(1*h, ticket.Command{Verb: ticket.VerbEmergencyPause, By: super, Emergency: "E-1"})
	s.ask(101*h, ticket.Command{Verb: ticket.VerbEmergencyResume, By: super, Emergency: "E-1"})
	s.closeAt(113 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s paused", "101h0m0s resumed", "112h0m0s reminded first_response",
		"113h0m0s closed by agent",
	)
}

func TestTicket_aBurstOutOfOrderAndDoubledIsTakenInOrderOnce(t *testing.T) {
	s := newFixture(t)
	s.at(2*h, func() {
		assign := s.desk.Accept(number, assignToAlice())
		reply := s.desk.Accept(number, words(alice, ticket.VerbAgentReply))
		resolve := s.desk.Accept(number, words(alice, ticket.VerbResolve))
		for _, c := range []ticket.Command{resolve, reply, reply, assign, resolve, assign} {
			s.env.SignalWorkflowSkippingWorkflowTask(string(c.Verb), signal(c))
		}
		s.deliver(resolve)
	})
	s.closeAt(3 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "2h0m0s assigned", "2h0m0s agent-replied", "2h0m0s resolved by agent",
		"2h0m0s question-delivered", "3h0m0s closed by agent",
	)
	if n := len(s.desk.Steps()); n != 4 {
		t.Errorf("%d steps, want one for the submission, one for the burst, one for the resolution's delivery, one for the end", n)
	}
}

func TestTicket_commandsThatOneStepCannotTakeAreTakenByTheNext(t *testing.T) {
	s := newFixture(t)
	s.desk.PerStep(1)
	s.at(2*h, func() {
		var last ticket.Command
		for range 5 {
			last = s.desk.Accept(number, words(alice, ticket.VerbNote))
		}
		s.deliver(last)
	})
	s.closeAt(3 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "2h0m0s noted", "2h0m0s noted", "2h0m0s noted", "2h0m0s noted", "2h0m0s noted",
		"3h0m0s closed by agent",
	)
}

// An answer accepted before the deadline keeps the promise, also when its signal comes after it.
func TestTicket_anAnswerAcceptedBeforeTheDeadlineCountsThoughItsSignalIsLate(t *testing.T) {
	s := newFixture(t)
	s.at(24*h-time.Second, func() { s.desk.Accept(number, words(alice, ticket.VerbAgentReply)) })
	s.at(26*h, func() { s.deliver(ticket.Command{Seq: 2, Verb: ticket.VerbAgentReply}) })
	s.closeAt(30 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response", "23h59m59s assigned", "23h59m59s agent-replied",
		"30h0m0s closed by agent",
	)
}

// A worker that was away sees the fired timer and the signal in one task.
func TestTicket_anAnswerTakenAfterTheDeadlinesTimerFiredMeetsTheTarget(t *testing.T) {
	s := newFixture(t)
	out := true
	s.desk.OnStep(func(r ticket.StepRequest) error {
		if out && r.Command == 2 && s.env.Now().Before(begin.Add(25*h)) {
			return away
		}
		return nil
	})
	s.ask(24*h-time.Minute, words(alice, ticket.VerbAgentReply))
	s.closeAt(30 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response", "23h59m0s assigned", "23h59m0s agent-replied",
		"30h0m0s closed by agent",
	)
	for _, r := range s.desk.Steps() {
		if r.Due.After(begin.Add(24 * h)) {
			t.Errorf("a step was taken for %s, which is not due", r.Due)
		}
	}
}

// After a long absence every due event fires in order, at the instant when it was due.
func TestTicket_whatFellDueWhileEveryWorkerWasAwayFiresAtItsOwnInstant(t *testing.T) {
	s := newFixture(t)
	s.desk.OnStep(func(ticket.StepRequest) error {
		if now := s.env.Now(); now.After(begin.Add(time.Hour)) && now.Before(begin.Add(50*h)) {
			return away
		}
		return nil
	})
	s.closeAt(51 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response", "24h0m0s breached first_response",
		"24h0m0s escalated first_response 1", "30h0m0s escalated first_response 2",
		"36h0m0s escalated first_response 3", "51h0m0s closed by agent",
	)
}

func TestTicket_aCancelRequestEndsNoPromise(t *testing.T) {
	s := newFixture(t)
	s.at(2*h, s.env.CancelWorkflow)
	s.ask(25*h, words(alice, ticket.VerbAgentReply))
	s.closeAt(26 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "12h0m0s reminded first_response",
		"24h0m0s breached first_response", "24h0m0s escalated first_response 1",
		"25h0m0s assigned", "25h0m0s agent-replied", "26h0m0s closed by agent",
	)
	if left := s.desk.Unsettled(number); len(left) > 0 {
		t.Errorf("mails left: %v (of %s)", left, desktest.Customer)
	}
}
