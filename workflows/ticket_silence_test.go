package workflows_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// deferMails has the mails of a kind deferred by their server until so long after the beginning.
func (s *fixture) deferMails(until time.Duration, kinds ...ticket.MailKind) {
	s.mails(func(m ticket.Owed) (bool, error) {
		for _, kind := range kinds {
			if m.Kind == kind && s.env.Now().Before(begin.Add(until)) {
				return false, errors.New("421 later")
			}
		}
		return false, nil
	})
}

func TestTicket_silenceIsPausedWhileTheMailThatAsksIsPending(t *testing.T) {
	s := newFixture(t)
	s.deferMails(61*h, ticket.MailInformationRequest)
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s information-requested", "61h0m0s question-delivered",
		"85h0m0s nudged", "85h0m0s question-delivered", "109h0m0s resolved by silence", "109h0m0s question-delivered",
		"181h0m0s closed by silence",
	)
}

func TestTicket_aPendingNudgeStopsSilenceWhereItWas(t *testing.T) {
	s := newFixture(t)
	s.deferMails(40*h, ticket.MailNudge)
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.closeAt(65 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s information-requested", "1h0m0s question-delivered",
		"25h0m0s nudged", "40h0m0s question-delivered", "64h0m0s resolved by silence", "64h0m0s question-delivered",
		"65h0m0s closed by agent",
	)
}

// An answer through the portal comes before the mail does: the late delivery means nothing then.
func TestTicket_aLateDeliveryAfterTheAnswerIsIgnored(t *testing.T) {
	s := newFixture(t)
	s.deferMails(12*h, ticket.MailInformationRequest)
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.ask(10*h, words(customer, ticket.VerbCustomerReply))
	s.closeAt(20 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s information-requested", "10h0m0s customer-replied", "20h0m0s closed by agent",
	)
}

func TestTicket_aQuestionThatBouncesIsHandedBack(t *testing.T) {
	s := newFixture(t)
	s.mails(func(m ticket.Owed) (bool, error) { return m.Kind == ticket.MailInformationRequest, nil })
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.closeAt(10 * h)
	s.run()
	s.checkTimeline(
		"0s submitted", "1h0m0s assigned", "1h0m0s information-requested", "1h0m0s mail-bounced", "1h0m0s handed-back",
		"10h0m0s closed by agent",
	)
	s.checkMails("1 receipt to P-CUSTOMER", "3 undelivered to P-ALICE", "4 closure to P-CUSTOMER")
}

// asked is the input of a run that learns of the delivery of a question sent before it.
func (s *fixture) asked() workflows.Start {
	s.t.Helper()
	s.desk.Submit(number)
	s.desk.Accept(number, words(alice, ticket.VerbRequestInformation))
	first, err := s.desk.Step(s.t.Context(), ticket.StepRequest{Number: number, Command: 2})
	for _, m := range first.Owed {
		if err == nil {
			_, err = s.desk.Deliver(s.t.Context(), outbox.Key{Ticket: number, N: int64(m.N)})
		}
	}
	if err != nil {
		s.t.Fatal(err)
	}
	return workflows.Start{Number: number, Digest: first.Digest, LastDelivery: len(first.Owed), LastCommand: 2, Delivered: []int{first.Owed[1].N}}
}

func TestContinueAsNew_takesUpTheNewsOfADelivery(t *testing.T) {
	s := newFixture(t)
	start := s.asked()
	s.closeAt(1 * h)
	s.execute(start)
	s.checkTimeline("0s submitted", "0s assigned", "0s information-requested", "0s question-delivered", "1h0m0s closed by agent")
}

func TestContinueAsNew_handsOnTheNewsOfADelivery(t *testing.T) {
	s := newFixture(t)
	start := s.asked()
	s.env.SetContinueAsNewSuggested(true) // one step is taken, and commands come first
	s.desk.PerStep(1)
	s.desk.Accept(number, words(alice, ticket.VerbNote))
	s.desk.Accept(number, words(alice, ticket.VerbNote))
	start.LastCommand = 4
	s.execute(start)
	if next := s.continuedWith(); len(next.Delivered) != 1 || next.Delivered[0] != start.Delivered[0] {
		t.Errorf("handed on: %+v", next)
	}
}
