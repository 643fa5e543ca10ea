package workflows_test

import (
	"context"
	"slices"
	"testing"

	"github.com/holesalemart/supportdesk/activities"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// sendingNow has mails sent within workflow tasks.
func (s *fixture) sendingNow() {
	s.immediate = activities.NewImmediateMails(s.desk, 8, func(context.Context, bool) (bool, error) { return true, nil })
	s.set(begin)
}

func TestSendNow_needsNoOtherActivity(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	s.ask(1*h, assignToAlice())
	s.ask(2*h, words(alice, ticket.VerbRequestInformation))
	s.ask(3*h, words(customer, ticket.VerbCustomerReply))
	s.closeAt(4 * h)
	s.run()
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 information-request to P-CUSTOMER",
		"5 customer-reply to P-ALICE", "6 closure to P-CUSTOMER",
	)
	if len(s.regular) != 0 {
		t.Errorf("regular activities %q", s.regular)
	}
}

// A mail that can't be sent at once is sent by the regular activity, and the recipient's next one after it.
func TestSendNow_leavesTheRestToTheRegularActivityInOrder(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	tries := 0
	s.mails(func(m ticket.Owed) (bool, error) {
		if tries++; m.To == desktest.Customer && tries < 4 {
			return false, away
		}
		return false, nil
	})
	s.ask(1*h, assignToAlice())
	s.closeAt(4 * h)
	s.run()
	s.checkMails("1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 closure to P-CUSTOMER")
	if !slices.Contains(s.regular, workflows.MailActivity) {
		t.Errorf("regular activities %q", s.regular)
	}
}

// A step that leaves commands undecided sends no mails, and the workflow still sends them at once.
func TestSendNow_sendsMailsOfAStepThatLeavesCommandsUndecided(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	s.desk.PerStep(1)
	s.at(1*h, func() {
		s.desk.Accept(number, assignToAlice())
		s.deliver(s.desk.Accept(number, words(alice, ticket.VerbAgentReply)))
	})
	s.closeAt(2 * h)
	s.run()
	s.checkMails(
		"1 receipt to P-CUSTOMER", "2 assignment to P-CUSTOMER", "3 assigned to P-ALICE", "4 reply to P-CUSTOMER", "5 closure to P-CUSTOMER",
	)
	if len(s.regular) != 0 {
		t.Errorf("regular activities %q", s.regular)
	}
}

func TestSendNow_aBouncedMailIsAnEvent(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	s.mails(func(m ticket.Owed) (bool, error) { return m.N == 1, nil })
	s.closeAt(2 * h)
	s.run()
	s.checkTimeline("0s submitted", "0s mail-bounced", "2h0m0s closed by agent")
}
