package workflows_test

import (
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// until makes the mail server refuse to answer for one recipient up to an hour.
func (s *fixture) until(end time.Duration, to ticket.PersonID) func(ticket.Owed) (bool, error) {
	return func(m ticket.Owed) (bool, error) {
		if m.To == to && s.env.Now().Before(begin.Add(end)) {
			return false, away
		}
		return false, nil
	}
}

func TestMailer_keepsTheOrderOfEachRecipientAcrossAnOutage(t *testing.T) {
	s := newFixture(t)
	s.mails(s.until(23*h, desktest.Customer))
	s.ask(1*h, assignToAlice())
	s.ask(2*h, words(alice, ticket.VerbAgentReply))
	s.ask(3*h, words(alice, ticket.VerbProgressUpdate))
	s.closeAt(24 * h)
	s.run()
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 reply to P-CUSTOMER", "5 progress to P-CUSTOMER",
		"6 closure to P-CUSTOMER",
	)
	if n := len(s.regular); n != 6 {
		t.Errorf("%d activities for 6 mails", n)
	}
}

func TestMailer_aBlockedRecipientHoldsUpNoOneElse(t *testing.T) {
	s := newFixture(t)
	var at []time.Duration
	blocked := s.until(40*h, desktest.Customer)
	s.mails(func(m ticket.Owed) (bool, error) {
		if m.To == desktest.Supervisor {
			at = append(at, s.env.Now().Sub(begin).Truncate(time.Minute))
		}
		return blocked(m)
	})
	s.closeAt(41 * h)
	s.run()
	if want := []time.Duration{12 * h, 24 * h, 30 * h, 36 * h}; !slices.Equal(at, want) {
		t.Errorf("the supervisor was written to at %s, want %s", at, want)
	}
}

func TestMailer_aBouncedMailIsAnEventAndTheNextOneIsTried(t *testing.T) {
	s := newFixture(t)
	s.mails(func(m ticket.Owed) (bool, error) { return m.N == 1, nil })
	s.ask(1*h, words(alice, ticket.VerbAgentReply))
	s.closeAt(2 * h)
	s.run()
	s.checkTimeline("0s submitted", "0s mail-bounced", "1h0m0s assigned", "1h0m0s agent-replied", "2h0m0s closed by agent")
	if bounced := s.desk.Events(number)[1].Mail; bounced != 1 {
		t.Errorf("the event names mail %d", bounced)
	}
	s.checkMails("2 reply to P-CUSTOMER", "3 closure to P-CUSTOMER")
}

func TestMailer_givesNothingUpHoweverLongTheMailServerIsAway(t *testing.T) {
	s := newFixture(t)
	s.mails(s.until(3*day, desktest.Customer))
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.ask(2*h, words(customer, ticket.VerbCustomerReply))
	s.ask(3*h, words(alice, ticket.VerbResolve))
	s.run() // silence closes the ticket
	for _, e := range s.desk.Events(number) {
		if e.Kind == ticket.EventMailBounced {
			t.Errorf("given up: %+v", e)
		}
	}
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 information-request to P-CUSTOMER", "3 customer-reply to P-ALICE",
		"4 resolution to P-CUSTOMER", "5 closure to P-CUSTOMER",
	)
}

func TestMailer_anUnknownMailIsNotTriedAgain(t *testing.T) {
	s := newFixture(t)
	tries := 0
	s.mails(func(m ticket.Owed) (bool, error) {
		if m.N > 1 {
			return false, nil
		}
		tries++
		return false, fault.New(fault.NotFound, "there is no such email")
	})
	s.closeAt(1 * h)
	s.run()
	if tries != 1 {
		t.Errorf("%d tries", tries)
	}
	s.checkTimeline("0s submitted", "0s mail-bounced", "1h0m0s closed by agent")
}
