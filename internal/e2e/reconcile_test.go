package e2e_test

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/workflows"
)

// restless has the reconciler look often, so that a test need not wait for minutes.
var restless = []string{"SUPPORTDESK_RECONCILE_EVERY=1s", "SUPPORTDESK_RECONCILE_PATIENCE=4s"}

// runs reports whether a workflow runs.
func (s *stack) runs(id string) (bool, string) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	d, err := s.temporalClient().DescribeWorkflowExecution(ctx, id, "")
	status := d.GetWorkflowExecutionInfo().GetStatus()
	return err == nil && status == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING, fmt.Sprint(id, " ", status, err)
}

func (s *stack) awaitRunning(ids ...string) {
	s.t.Helper()
	for _, id := range ids {
		eventually(s.t, id+" runs", func() (bool, string) { return s.runs(id) })
	}
}

// ask asks for a command, and waits until it is decided: just after Temporal's return that takes a while.
func (c person) ask(number, noun string, body words) {
	c.stack.t.Helper()
	eventually(c.stack.t, noun+" of "+number+" is accepted", func() (bool, string) {
		got, err := c.try(http.MethodPost, "/tickets/"+number+"/"+noun, noun, body)
		return err == nil && got.status < 300, fmt.Sprint(got.status, string(got.body), err)
	})
	c.stack.agent.awaitDecided(number)
}

// numbers lists the tickets that a condition picks.
func (s *stack) numbers(pool *pgxpool.Pool, condition string) []string {
	s.t.Helper()
	rows, err := pool.Query(s.t.Context(), `SELECT number FROM tickets WHERE `+condition)
	if err != nil {
		s.t.Fatal(err)
	}
	all, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		s.t.Fatal(err)
	}
	return all
}

// checkOnce fails if a mail came twice.
func (s *stack) checkOnce() {
	s.t.Helper()
	times := map[string]int{}
	for _, m := range s.mails.Messages() {
		if times[m.MessageID]++; times[m.MessageID] == 2 {
			s.t.Errorf("the mail %q %s came twice", m.Subject, m.MessageID)
		}
	}
}

// With the values of production: whatever has nothing due is found by an audit, which begins every minute.
func TestReconciler_startsWhatWasTerminatedOrDeleted(t *testing.T) {
	s := start(t, "")
	terminated, deleted := s.customer.submit("Terminated", "words"), s.customer.submit("Deleted", "words")
	for _, number := range []string{terminated, deleted} {
		s.agent.awaitStatus(number, "new")
		s.awaitMailed(number)
	}
	s.awaitRunning(workflows.EmergencyID)
	c := s.temporalClient()
	for _, id := range []string{terminated, workflows.EmergencyID} {
		if err := c.TerminateWorkflow(t.Context(), id, "", "by mistake"); err != nil {
			t.Fatal(err)
		}
	}
	_, err := c.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: execution(deleted),
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the workflow is deleted", func() (bool, string) {
		runs, seen := s.runs(deleted)
		return !runs, seen
	})
	s.awaitRunning(terminated, deleted, workflows.EmergencyID)
	for _, number := range []string{terminated, deleted} {
		s.agent.do(number, "replies", words{"body": "answer"})
		if got := strings.Join(kinds(s.agent.timeline(number)), " "); got != "submitted agent-replied" && got != "submitted assigned agent-replied" {
			t.Errorf("the timeline of %s is %s", number, got)
		}
	}
	s.mails.WaitCount(t, 4)
	s.checkOnce()
}

func TestReconciler_bringsBackWhatTemporalHasLost(t *testing.T) {
	s := start(t, "", restless...)
	pool := s.pool()
	const open, closed = 500, 5
	s.fill(pool, open)
	s.mails.WaitCount(t, open)
	eventually(t, "every mail is on record", func() (bool, string) {
		n, err := s.count(pool, `SELECT count(*) FROM mails WHERE status = 'owed'`)
		return err == nil && n == 0, fmt.Sprint(n, err)
	})
	s.mails.Stop()
	for range closed {
		number := s.customer.submit("Closed", "words")
		s.customer.do(number, "withdrawal", nil)
	}
	before, err := s.count(pool, `SELECT count(*) FROM events`)
	if err != nil {
		t.Fatal(err)
	}
	s.temporal.Stop()
	s.removeTemporalData()
	s.temporal.Restart()
	returned := time.Now()
	s.awaitRunning(s.numbers(pool, `status <> 'closed' OR EXISTS (SELECT FROM mails m WHERE m.ticket = number AND m.status = 'owed')`)...)
	s.awaitRunning(workflows.EmergencyID)
	if took := time.Since(returned); took > 2*time.Minute {
		t.Errorf("it took %s", took)
	} else {
		t.Logf("everything runs %s after Temporal's return", took.Round(time.Second))
	}
	s.mails.Restart()
	s.awaitCount(pool, "no mail is owed", 0, 0, `SELECT count(*) FROM mails WHERE status = 'owed'`)
	s.checkOnce()
	if after, err := s.count(pool, `SELECT count(*) FROM events`); err != nil || after != before {
		t.Errorf("%d events, and %d before, %v", after, before, err)
	}
	for _, number := range s.numbers(pool, `status = 'closed'`) {
		eventually(t, number+" ends", func() (bool, string) {
			runs, seen := s.runs(number)
			return !runs, seen
		})
	}
}

// quick has every kind of moment come soon.
const quick = `
name: Quick policy of a test
contact: desk@demo.example
time_zone: UTC
clocks:
  first_response: {target: 25s, counts: calendar, remind_at: 80%}
  resolution: {target: 1h, counts: calendar, pauses: [waiting, resolved]}
silence: {nudge_after: 20s, resolve_after: 1h, close_after: 1h}
escalation:
  - {after: 0s, tell: [assignee, supervisors]}
`

func TestReconciler_catchesUpWithAnOlderTemporal(t *testing.T) {
	s := start(t, quick, restless...)
	pool := s.pool()
	silent, answered, asked, withdrawn := s.customer.submit("Silent", "words"), s.customer.submit("Answered", "words"),
		s.customer.submit("Asked", "words"), s.customer.submit("Withdrawn", "words")
	s.mails.WaitCount(t, 4)
	s.temporal.Stop()
	s.copyTemporalData("", ".older")
	s.temporal.Restart()
	s.agent.ask(answered, "replies", words{"body": "answer"})
	s.agent.ask(asked, "information-requests", words{"body": "question"})
	s.customer.ask(withdrawn, "withdrawal", words{})
	newer := s.customer.submit("Newer", "words")
	s.agent.awaitStatus(newer, "new")
	s.mails.WaitCount(t, 8)
	eventually(t, "every mail is on record", func() (bool, string) {
		n, err := s.count(pool, `SELECT count(*) FROM mails WHERE status = 'owed'`)
		return err == nil && n == 0, fmt.Sprint(n, err)
	})
	s.temporal.Stop()
	s.removeTemporalData()
	s.copyTemporalData(".older", "")
	s.temporal.Restart()
	s.awaitRunning(silent, answered, asked, newer)
	for number, want := range map[string]string{silent: "breached", newer: "breached", asked: "nudged"} {
		eventually(t, number+" is "+want, func() (bool, string) {
			seen := kinds(s.agent.timeline(number))
			return slices.Contains(seen, want), strings.Join(seen, " ")
		})
	}
	s.agent.ask(answered, "resolution", words{"body": "done"})
	eventually(t, "the workflow of the withdrawn ticket ends", func() (bool, string) {
		runs, seen := s.runs(withdrawn)
		return !runs, seen
	})
	s.awaitCount(pool, "no mail is owed", 0, 0, `SELECT count(*) FROM mails WHERE status = 'owed'`)
	s.checkOnce()
	for _, number := range []string{silent, answered, asked, withdrawn, newer} {
		entries := s.agent.timeline(number)
		checkNumbers(t, entries)
		if n := len(slices.DeleteFunc(kinds(entries), func(k string) bool { return k != "breached" && k != "nudged" })); n > 1 {
			t.Errorf("%s: %v", number, kinds(entries))
		}
	}
}

// temporalData are the suffixes of the files of Temporal's data. A stopped server may leave a write-ahead log.
var temporalData = []string{"", "-wal", "-shm"}

// removeTemporalData makes Temporal, which is stopped, forget everything.
func (s *stack) removeTemporalData() {
	s.t.Helper()
	for _, file := range temporalData {
		if err := os.Remove(s.temporal.DB() + file); err != nil && !os.IsNotExist(err) {
			s.t.Fatal(err)
		}
	}
}

// copyTemporalData copies the data of a Temporal that is stopped. Either side may be a copy, by its prefix.
func (s *stack) copyTemporalData(from, to string) {
	s.t.Helper()
	for _, file := range temporalData {
		data, err := os.ReadFile(s.temporal.DB() + from + file)
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			s.t.Fatal(err)
		}
		if err := os.WriteFile(s.temporal.DB()+to+file, data, 0o600); err != nil {
			s.t.Fatal(err)
		}
	}
}

func execution(id string) *commonpb.WorkflowExecution {
	return &commonpb.WorkflowExecution{WorkflowId: id}
}
