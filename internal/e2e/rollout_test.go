package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// release is a worker of a release, which does not take the tasks of others by itself.
func (s *stack) release(build string, env ...string) *part {
	return s.program("worker", append([]string{
		"SUPPORTDESK_WORKER_DEPLOYMENT=supportdesk", "SUPPORTDESK_WORKER_BUILD=" + build, "SUPPORTDESK_WORKER_PROMOTION=manual",
	}, env...)...)
}

// versions returns what the list of versions shows in a row, as words: version, status, share, workers, open tickets.
func (s *stack) versions(build string) []string {
	s.t.Helper()
	for line := range strings.Lines(s.run("workers list")) {
		if row := strings.Fields(line); row[0] == build {
			return row
		}
	}
	return []string{build, "missing", "", "0", "0"}
}

// awaitVersion waits until the list of versions shows a status and a number of workers.
func (s *stack) awaitVersion(build, status, workers string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("version %s is %s with %s workers", build, status, workers), func() (bool, string) {
		row := s.versions(build)
		return row[1] == status && row[3] == workers, fmt.Sprint(row)
	})
}

// ramp gives a version a share as soon as its workers poll all task queues.
func (s *stack) ramp(build, percent string) {
	s.t.Helper()
	eventually(s.t, "a ramp of "+build, func() (bool, string) {
		cmd := exec.Command(binary, "workers", "ramp", build, percent)
		cmd.Env = s.env
		out, err := cmd.CombinedOutput()
		return err == nil, string(out)
	})
}

// awaitMoved waits until a share of the open tickets has had a task of a version.
func (s *stack) awaitMoved(build string) {
	s.t.Helper()
	eventually(s.t, "version "+build+" has tickets", func() (bool, string) {
		row := s.versions(build)
		return row[4] != "0", fmt.Sprint(row)
	})
}

// rolloutPolicy has reminders, breaches, escalations and silence all the time.
const rolloutPolicy = `
name: Policy of a rollout
contact: desk@demo.example
time_zone: UTC
clocks:
  first_response: {target: 20s, counts: calendar, remind_at: 50%}
  resolution: {target: 40s, counts: calendar, pauses: [waiting, resolved]}
silence: {nudge_after: 10s, resolve_after: 1h, close_after: 1h}
escalation:
  - {after: 0s, tell: [supervisors]}
  - {after: 10s, tell: [supervisors]}
  - {after: 30s, tell: [supervisors]}
`

// Tickets in every state outlive releases that are deployed beside each other, ramped, rolled back and stopped, under load
// and with due events all the time, beginning with a release whose workers have no version.
func TestRollout_ticketsInEveryStateMoveToEveryVersionAndLoseNothing(t *testing.T) {
	s := start(t, rolloutPolicy, append([]string{"SUPPORTDESK_WORKER_DEPLOYMENT=off"}, restless...)...)
	submit := func(subject string) string {
		number := s.customer.submit(subject, "words")
		s.awaitMailed(number)
		return number
	}
	states := map[string]string{}
	for _, state := range []string{"new", "open", "waiting", "resolved", "snoozed", "long", "owing", "undecided"} {
		states[state] = submit(state)
	}
	s.agent.do(states["open"], "replies", words{"body": "We look into it."})
	s.agent.do(states["waiting"], "information-requests", words{"body": "Which one?"})
	s.agent.do(states["resolved"], "resolution", words{"body": "Done."})
	s.agent.do(states["snoozed"], "snooze", words{"until": time.Now().Add(time.Hour).UTC().Format(time.RFC3339)})
	for range 3 { // more bytes than one run takes
		hand := byHand{name: "assign", payload: words{"agent": strings.Repeat("x", 120<<10)}}
		if err := s.signal(s.temporalClient(), states["long"], hand); err != nil {
			t.Fatal(err)
		}
	}
	eventually(t, "a ticket continues as new", func() (bool, string) {
		d, err := s.temporalClient().DescribeWorkflowExecution(t.Context(), states["long"], "")
		info := d.GetWorkflowExecutionInfo()
		return err == nil && info.GetFirstRunId() != info.GetExecution().GetRunId(), fmt.Sprint(info, err)
	})
	s.mails.Stop()
	s.agent.do(states["owing"], "replies", words{"body": "An email that waits."})

	// From workers without versions to the first version, which need not be told to take over.
	s.env = append(s.env, "SUPPORTDESK_WORKER_DEPLOYMENT=supportdesk")
	first, second := s.release("v1"), s.release("v2")
	first.start()
	s.awaitVersion("v1", "current", "1")
	l := &ledger{tickets: map[string]string{}, replies: map[string][]string{}}
	var stop atomic.Bool
	clients := s.loadSteadily(&stop, l)
	s.worker.stop()
	s.awaitMoved("v1")
	s.awaitAcknowledged(l, 5)

	// A ramp, an emergency in its middle, and a rollback.
	second.start()
	s.awaitVersion("v2", "inactive", "1")
	s.ramp("v2", "10")
	s.awaitAcknowledged(l, 10)
	s.ramp("v2", "50")
	s.awaitMoved("v2")
	s.command("declare", map[string]any{"kind": "closed"})
	s.awaitVerified(ticket.VerbEmergencyPause)
	s.ramp("v2", "100")
	s.awaitAcknowledged(l, 15)
	s.run("workers rollback")
	s.awaitVersion("v1", "current", "1")
	s.awaitAcknowledged(l, 20)

	// It becomes current in the end, all workers stop while something is asked for, and the older version is current again.
	s.run("workers promote v2")
	s.awaitVersion("v2", "current", "1")
	s.awaitAcknowledged(l, 25)
	s.mails.Restart()
	s.command("lift", nil)
	s.awaitVerified(ticket.VerbEmergencyResume)
	first.stop()
	second.stop()
	s.agent.must(http.StatusAccepted, http.MethodPost, "/tickets/"+states["undecided"]+"/notes", words{"body": "While no worker runs."})
	first.start()
	eventually(t, "the doctor misses the current version's workers", func() (bool, string) {
		out, _ := s.doctor()
		return strings.Contains(out, "no worker polls for version v2, which gets 100% of the tickets, but 1 for v1: supportdesk workers promote v1"), out
	})
	s.run("workers rollback")
	s.awaitAcknowledged(l, 30)
	stop.Store(true)
	clients.Wait()
	s.checkLedger(l, false)
	for state, number := range states {
		s.agent.do(number, "notes", words{"body": "After " + state})
	}
	s.diagnosed()
	s.checkNoFailedTask()
}

// loadSteadily submits and replies until stopped, one ticket after the other, so that there is no backlog.
func (s *stack) loadSteadily(stop *atomic.Bool, l *ledger) *sync.WaitGroup {
	var clients sync.WaitGroup
	clients.Go(func() {
		for i := 0; !stop.Load(); i++ {
			key := fmt.Sprint("submission-", i)
			number := s.insist(stop, s.customer, "/tickets", key, words{"subject": key, "body": "words of " + key})
			reply := "reply to " + key
			if number == "" || s.insist(stop, s.agent, "/tickets/"+number+"/replies", "reply-"+key, words{"body": reply}) == "" {
				return
			}
			l.mu.Lock()
			l.tickets[number], l.replies[number] = key, []string{reply}
			l.mu.Unlock()
		}
	})
	return &clients
}

// checkNoFailedTask checks that no workflow task of any ticket failed but because a signal came before it ended.
func (s *stack) checkNoFailedTask() {
	s.t.Helper()
	c := s.temporalClient()
	var token []byte
	for {
		page, err := c.ListWorkflow(context.Background(), &workflowservice.ListWorkflowExecutionsRequest{
			Query: fmt.Sprintf("WorkflowType IN ('%s', '%s')", workflows.TicketWorkflow, workflows.EmergencyWorkflow), NextPageToken: token,
		})
		if err != nil {
			s.t.Fatal(err)
		}
		for _, e := range page.GetExecutions() {
			history := c.GetWorkflowHistory(context.Background(), e.GetExecution().GetWorkflowId(), e.GetExecution().GetRunId(), false,
				enumspb.HISTORY_EVENT_FILTER_TYPE_ALL_EVENT)
			for history.HasNext() {
				event, err := history.Next()
				if err != nil {
					s.t.Fatal(err)
				}
				failed := event.GetWorkflowTaskFailedEventAttributes()
				starved := strings.Contains(failed.GetFailure().GetMessage(), "TMPRL1101") // of processor time, on a busy machine
				if cause := failed.GetCause(); failed != nil && cause != enumspb.WORKFLOW_TASK_FAILED_CAUSE_UNHANDLED_COMMAND && !starved {
					s.t.Errorf("a task of %s failed: %v, %s", e.GetExecution().GetWorkflowId(), cause, failed.GetFailure().GetMessage())
				}
			}
		}
		if token = page.GetNextPageToken(); len(token) == 0 {
			return
		}
	}
}
