package e2e_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/workflows"
)

func TestTemporalAway_submissionsAreAcceptedAndGoOn(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	before := s.customer.submit("Before", "words")
	s.agent.awaitStatus(before, "new")
	s.temporal.Kill()
	during := s.customer.submit("During", "words")
	s.agent.must(http.StatusAccepted, http.MethodPost, "/tickets/"+before+"/replies", words{"body": "First."})
	s.customer.must(http.StatusAccepted, http.MethodPost, "/tickets/"+before+"/replies", words{"body": "Second."})
	if v := s.customer.ticket(during); v.Status != "new" || !v.Pending || v.Clocks["resolution"].Due.IsZero() {
		t.Errorf("a ticket accepted without Temporal is shown as %+v", v)
	}
	s.temporal.Restart()
	s.agent.awaitStatus(during, "new")
	s.agent.awaitStatus(before, "open")
	var bodies []string
	for _, e := range s.agent.timeline(before) {
		if e.Body != "" {
			bodies = append(bodies, e.Body)
		}
	}
	if got := strings.Join(bodies, " "); got != "words First. Second." {
		t.Errorf("the words came as %q", got)
	}
	s.mails.WaitCount(t, 4) // two receipts, the reply, and the news of the customer's
}

func TestSMTPAway_everyMailArrivesAfterwardsInOrderOnce(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	number := s.customer.submit("Mails", "words")
	s.mails.WaitCount(t, 1)
	s.awaitMailed(number) // else the server's yes may be lost with it, and the receipt comes twice
	s.mails.Stop()
	s.agent.do(number, "assignment", nil)
	const updates = 5
	for i := range updates {
		s.agent.do(number, "progress", words{"body": fmt.Sprintf("Progress %d.", i)})
	}
	if v := s.customer.ticket(number); v.Status != "open" {
		t.Errorf("without SMTP the ticket is %s: mail must hold up nothing", v.Status)
	}
	s.mails.Restart()
	all := s.mails.WaitCount(t, updates+2)
	for i, m := range all[2:] {
		if want := fmt.Sprintf("Progress %d.", i); !strings.Contains(m.Text, want) {
			t.Errorf("mail %d does not say %q", i+3, want)
		}
	}
	s.customer.do(number, "withdrawal", nil)
	s.mails.WaitCount(t, updates+3)
	if got := len(s.mails.Messages()); got != updates+3 {
		t.Errorf("%d mails arrived, not %d", got, updates+3)
	}
}

func TestPostgresAway_isReportedAndFailsNoWorkflow(t *testing.T) {
	t.Parallel()
	s := startApart(t, fast)
	number := s.customer.submit("Outage", "words")
	s.agent.awaitStatus(number, "new")
	s.postgres.Kill()
	got, err := s.customer.try(http.MethodPost, "/tickets", "", words{"subject": "x", "body": "y"})
	if err != nil || got.status != http.StatusServiceUnavailable {
		t.Errorf("without PostgreSQL a submission is answered %d %s, %v", got.status, got.body, err)
	}
	// The deadline passes while the database is away, long enough for the local tries to end.
	eventually(t, "the step becomes a regular activity", func() (bool, string) { return s.hasEvent(number, "ActivityTaskScheduled", "Step") })
	s.postgres.Restart()
	eventually(t, "the reminder is on record", func() (bool, string) {
		seen := kinds(s.agent.timeline(number))
		return len(seen) > 1 && seen[1] == "reminded", strings.Join(seen, " ")
	})
}

// awaitMailed waits until a ticket's workflow owes no mail.
func (s *stack) awaitMailed(number string) {
	s.t.Helper()
	eventually(s.t, number+" owes no mail", func() (bool, string) {
		var report workflows.Report
		value, err := s.temporalClient().QueryWorkflow(s.t.Context(), number, "", workflows.TicketQuery)
		if err == nil {
			err = value.Get(&report)
		}
		return err == nil && report.Digest.LastDelivery > 0 && len(report.Owed) == 0, fmt.Sprint(report.Owed, err)
	})
}

// hasEvent reports whether a ticket's history has an event of a type for an activity of a name.
func (s *stack) hasEvent(number, kind, activity string) (bool, string) {
	c := s.temporalClient()
	events := c.GetWorkflowHistory(s.t.Context(), number, "", false, 0)
	var seen []string
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return false, err.Error()
		}
		if name := e.GetActivityTaskScheduledEventAttributes().GetActivityType().GetName(); name == activity && e.GetEventType().String() == kind {
			return true, ""
		}
		seen = append(seen, e.GetEventType().String())
	}
	return false, strings.Join(seen, " ")
}

// Two of each program share the work, and without a fault nothing is done twice: a duplicate of TestFaults may be excused by a fault,
// and here by none.
func TestReplicas_doEverythingOnce(t *testing.T) {
	t.Parallel()
	s := start(t, "")
	second := s.program("worker")
	second.start()
	relay := s.program("api", "SUPPORTDESK_HTTP_ADDRESS="+freeAddress(t))
	relay.start()
	const tickets = 12
	numbers := make([]string, tickets)
	var all sync.WaitGroup
	for i := range numbers {
		all.Go(func() {
			numbers[i] = s.customer.submit(fmt.Sprint("Ticket ", i), "words")
			s.agent.do(numbers[i], "replies", words{"body": "answer"})
		})
	}
	all.Wait()
	for _, number := range numbers {
		s.agent.awaitStatus(number, "open")
	}
	s.mails.WaitCount(t, 2*tickets)
	second.stop()
	relay.stop()
	s.api.stop()
	s.worker.stop()
	for _, number := range numbers {
		if got := len(s.mailsTo("customer@demo.example", number)); got != 2 {
			t.Errorf("ticket %s has sent %d emails, not a receipt and a reply", number, got)
		}
	}
}
