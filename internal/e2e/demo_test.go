package e2e_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// stored is what PostgreSQL holds of each ticket that is not closed.
func (s *stack) stored() map[string]ticket.State {
	s.t.Helper()
	rows, err := s.pool().Query(s.t.Context(), `SELECT number, state FROM tickets WHERE status <> 'closed'`)
	if err != nil {
		s.t.Fatal(err)
	}
	states := map[string]ticket.State{}
	var number string
	var state ticket.State
	if _, err := pgx.ForEachRow(rows, []any{&number, &state}, func() error {
		states[number], state = state, ticket.State{}
		return nil
	}); err != nil {
		s.t.Fatal(err)
	}
	return states
}

// What was imported must live on as if it had been lived: a workflow for each open ticket, with the right timer.
func TestDemo_openTicketsGoOnWithTheirPromises(t *testing.T) {
	s := start(t, "")
	s.run("demo", "--tickets", "100")
	states := s.stored()
	if len(states) < 30 {
		t.Fatalf("%d open tickets to look at", len(states))
	}
	c := s.temporalClient()
	var waiting string
	for number, stored := range states {
		eventually(t, "the workflow of "+number+" knows its ticket", func() (bool, string) {
			value, err := c.QueryWorkflow(t.Context(), number, "", workflows.TicketQuery)
			if err != nil {
				return false, err.Error()
			}
			var report workflows.Report
			if err := value.Get(&report); err != nil {
				return false, err.Error()
			}
			same := report.Digest.Next.Same(stored.Next) && report.Digest.Command == stored.Command && len(report.Owed) == 0
			return same, fmt.Sprintf("%+v; PostgreSQL has %+v", report, stored)
		})
		late := 2 * time.Second // at most
		due, took, armed := s.timer(number)
		if armed != (stored.Next.Kind != "") || armed && (due.Before(stored.Next.Due.Add(-late)) || due.After(stored.Next.Due.Add(late+took))) {
			t.Errorf("the timer of %s, which it took %s to start, fires at %s (armed: %v), and %+v is next", number, took, due, armed, stored.Next)
		}
		if stored.Ticket.Status == ticket.StatusWaiting {
			waiting = number
		}
	}
	if mails := s.mails.Messages(); len(mails) > 0 {
		t.Errorf("%d mails were sent about the past, such as %q", len(mails), mails[0].Subject)
	}
	if again := s.run("demo", "--tickets", "100"); again != "" {
		t.Errorf("the second time it says %q", again)
	}

	s.agent.do(waiting, "resolution", words{"body": "It has arrived after all."})
	if v := s.agent.ticket(waiting); v.Status != "resolved" {
		t.Errorf("after its resolution the ticket is %+v", v)
	}
	if mail := s.mails.WaitCount(t, 1)[0]; !strings.Contains(mail.Subject, waiting) {
		t.Errorf("the mail is %q", mail.Subject)
	}
}

// timer is when the last timer that a workflow has started fires, and whether it has one. took is for how long the workflow
// task ran that started it: so much later than meant it may fire, since the timer's time counts from the task's end.
func (s *stack) timer(number string) (due time.Time, took time.Duration, armed bool) {
	s.t.Helper()
	events := s.temporalClient().GetWorkflowHistory(s.t.Context(), number, "", false, enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
	var task time.Time
	for events.HasNext() {
		event, err := events.Next()
		if err != nil {
			s.t.Fatal(err)
		}
		at := event.GetEventTime().AsTime()
		if event.GetWorkflowTaskStartedEventAttributes() != nil {
			task = at
		}
		if started := event.GetTimerStartedEventAttributes(); started != nil {
			due, took, armed = at.Add(started.GetStartToFireTimeout().AsDuration()), at.Sub(task), true
		}
	}
	return due, took, armed
}
