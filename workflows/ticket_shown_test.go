package workflows_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// attributes returns the search attributes that Temporal has of a ticket, by name.
func attributes(s *desktest.Site) map[string]string {
	described, err := s.Temporal.DescribeWorkflowExecution(context.Background(), workflows.TicketID(number), "")
	s.Check(err)
	values := map[string]string{}
	for _, key := range workflows.Attributes() {
		payload := described.GetWorkflowExecutionInfo().GetSearchAttributes().GetIndexedFields()[key.GetName()]
		if data := payload.GetData(); len(data) > 0 && string(data) != "null" {
			values[key.GetName()] = string(data)
		}
	}
	return values
}

// checkAttributes compares them with the ticket's state.
func checkAttributes(t *testing.T, s *desktest.Site) {
	t.Helper()
	want := map[string]string{}
	for key, value := range workflows.StartAttributes(s.State(number).Digest()).GetUntypedValues() {
		data, err := json.Marshal(value)
		s.Check(err)
		want[key.GetName()] = string(data)
	}
	if got := attributes(s); !maps.Equal(got, want) {
		t.Errorf("attributes at command %d:\n%v\nwant\n%v", s.State(number).Command, got, want)
	}
}

// Whatever was expected at the start and whatever is omitted later, the search attributes are those of the ticket after each step.
func TestAttributes_areThoseOfTheTicketAfterEveryStep(t *testing.T) {
	t.Parallel()
	for _, scenario := range []struct {
		name     string
		schedule ticket.EmergencySchedule
	}{
		{name: "as expected at the start"},
		{"in an emergency", ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{{
			ID: flood, Kind: ticket.EmergencyClosed, From: time.Now().UTC().Truncate(time.Second),
		}}}},
	} {
		t.Run(scenario.name, func(t *testing.T) {
			s := desktest.NewSite(t, parse(t, testPolicy))
			s.SendMailsNow()
			s.SetSchedule(scenario.schedule)
			s.Tell(number, s.Submit(number))
			if got := attributes(s)["TicketStatus"]; got != `"new"` {
				t.Errorf("before its first step the ticket's status is %q", got)
			}
			s.Work()
			awaitTask(s, 1)
			checkAttributes(t, s)
			for _, c := range []ticket.Command{
				assignToAlice(), words(alice, ticket.VerbRequestInformation), words(customer, ticket.VerbCustomerReply), words(alice, ticket.VerbResolve),
			} {
				s.Ask(number, c)
				awaitTask(s, s.State(number).Command)
				checkAttributes(t, s)
			}
			s.Ask(number, ticket.Command{Verb: ticket.VerbClose, By: customer})
			s.Ended(number)
			checkAttributes(t, s)
		})
	}
}

// A step that is repeated, because its worker died after it had sent a mail, sends none twice, and loses no outcome.
func TestSendMails_aRepeatedStepSendsNoneTwiceAndLosesNoOutcome(t *testing.T) {
	s := newFixture(t)
	s.sendingNow()
	s.mails(func(m ticket.Owed) (bool, error) { return m.Kind == ticket.MailReceipt, nil })
	failed := map[string]bool{}
	s.desk.OnStep(func(r ticket.StepRequest) error {
		key := fmt.Sprint(r.Bounced > 0, r.Delivered > 0)
		if (r.Bounced > 0 || r.Delivered > 0) && !failed[key] {
			failed[key] = true
			return away
		}
		return nil
	})
	s.ask(1*h, words(alice, ticket.VerbRequestInformation))
	s.ask(26*h, words(customer, ticket.VerbCustomerReply))
	s.closeAt(27 * h)
	s.run()
	if len(failed) != 2 {
		t.Errorf("steps that failed after a mail: %v", slices.Collect(maps.Keys(failed)))
	}
	s.checkTimeline(
		"0s submitted", "0s mail-bounced", "1h0m0s assigned", "1h0m0s information-requested", "1h0m0s question-delivered",
		"25h0m0s nudged", "25h0m0s question-delivered", "26h0m0s customer-replied", "27h0m0s closed by agent",
	)
	s.checkMails("2 information-request to P-CUSTOMER", "3 nudge to P-CUSTOMER", "4 customer-reply to P-ALICE", "5 closure to P-CUSTOMER")
	if len(s.regular) != 0 {
		t.Errorf("regular activities %q", s.regular)
	}
}
