package e2e_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	commonpb "go.temporal.io/api/common/v1"
	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/ticket"
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
	t.Parallel()
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
		n, err := s.count(pool, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'owed'`)
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
	s.awaitRunning(s.numbers(pool, `status <> 'closed' OR EXISTS (SELECT FROM deliveries m WHERE m.ticket = number AND m.status = 'owed')`)...)
	s.awaitRunning(workflows.EmergencyID)
	if took := time.Since(returned); took > 2*time.Minute {
		t.Errorf("it took %s", took)
	} else {
		t.Logf("everything runs %s after Temporal's return", took.Round(time.Second))
	}
	s.mails.Restart()
	s.awaitCount(pool, "no mail is owed", 0, 0, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'owed'`)
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

// quick has every kind of due event come soon.
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
	t.Parallel()
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
		n, err := s.count(pool, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'owed'`)
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
	s.awaitCount(pool, "no mail is owed", 0, 0, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'owed'`)
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

// found is what the reconciler noted of a ticket last.
func (s *stack) found(pool *pgxpool.Pool, number string) (found string, tries int) {
	s.t.Helper()
	err := pool.QueryRow(s.t.Context(), `SELECT found, tries FROM ticket_checks WHERE ticket = $1`, number).Scan(&found, &tries)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		s.t.Fatal(err)
	}
	return found, tries
}

func TestReconciler_leavesAloneWhatIsBeingTried(t *testing.T) {
	t.Parallel()
	s := start(t, "", restless...)
	pool := s.pool()
	s.mails.Stop()
	number := s.customer.submit("No mail", "words")
	eventually(t, "the ticket was looked at twice", func() (bool, string) {
		found, tries := s.found(pool, number)
		return found == "trying" && tries >= 2, fmt.Sprint(found, tries)
	})
	if signalled, _ := s.hasSignal(number, workflows.ReconcileSignal); signalled {
		t.Error("a mail that is being tried is asked for")
	}
	s.diagnosed()
	s.mails.Restart()
	s.mails.WaitCount(t, 1)
	eventually(t, "the ticket is forgotten", func() (bool, string) {
		found, tries := s.found(pool, number)
		return found == "", fmt.Sprint(found, tries)
	})
	s.checkOnce()
}

func (s *stack) hasSignal(number, name string) (bool, string) {
	events := s.temporalClient().GetWorkflowHistory(s.t.Context(), number, "", false, 0)
	for events.HasNext() {
		e, err := events.Next()
		if err != nil {
			return false, err.Error()
		}
		if e.GetWorkflowExecutionSignaledEventAttributes().GetSignalName() == name {
			return true, ""
		}
	}
	return false, "no such signal"
}

// A workflow that runs where no worker looks never moves. It is named, and the other tickets go on.
func TestReconciler_namesStuckTickets(t *testing.T) {
	t.Parallel()
	s := start(t, "", restless...)
	stuck, other := s.customer.submit("Stuck", "words"), s.customer.submit("Other", "words")
	for _, number := range []string{stuck, other} {
		s.agent.awaitStatus(number, "new")
		s.awaitMailed(number)
	}
	c := s.temporalClient()
	options := client.StartWorkflowOptions{
		ID: stuck, TaskQueue: "nowhere", WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING,
	}
	if _, err := c.ExecuteWorkflow(t.Context(), options, workflows.TicketWorkflow, workflows.Start{Number: ticket.Number(stuck)}); err != nil {
		t.Fatal(err)
	}
	s.agent.must(http.StatusAccepted, http.MethodPost, "/tickets/"+stuck+"/replies", words{"body": "unheard"})
	s.diagnosed("1 ticket is stuck although its workflow is running: " + stuck)
	if err := c.TerminateWorkflow(t.Context(), other, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	s.awaitRunning(other)
	if err := c.TerminateWorkflow(t.Context(), stuck, "", "on purpose"); err != nil {
		t.Fatal(err)
	}
	s.agent.awaitDecided(stuck)
	s.diagnosed()
}

// A process that is frozen loses its lease by time alone.
func TestReconciler_isTakenOverFromAFrozenProcess(t *testing.T) {
	t.Parallel()
	s := start(t, "", restless...)
	pool := s.pool()
	number := s.customer.submit("Frozen", "words")
	s.agent.awaitStatus(number, "new")
	s.awaitMailed(number)
	holder := func() (name string) {
		if err := pool.QueryRow(t.Context(), `SELECT holder FROM leases WHERE name = 'reconciler' AND until > clock_timestamp()`).Scan(&name); err != nil && !errors.Is(err, pgx.ErrNoRows) {
			t.Fatal(err)
		}
		return name
	}
	eventually(t, "a worker has the lease", func() (bool, string) { return holder() != "", "" })
	first := holder()
	second := s.program("worker")
	second.start()
	frozen := s.worker.process
	if err := syscall.Kill(frozen.PID(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = syscall.Kill(frozen.PID(), syscall.SIGCONT) }()
	eventually(t, "the other worker has the lease", func() (bool, string) { name := holder(); return name != "" && name != first, name })
	if err := s.temporalClient().TerminateWorkflow(t.Context(), number, "", "by mistake"); err != nil {
		t.Fatal(err)
	}
	s.awaitRunning(number)
	taken := holder()
	if err := syscall.Kill(frozen.PID(), syscall.SIGCONT); err != nil {
		t.Fatal(err)
	}
	s.agent.ask(number, "replies", words{"body": "answer"})
	s.mails.WaitCount(t, 2)
	s.checkOnce()
	if now := holder(); now != taken {
		t.Errorf("the process that woke up has the lease: %s, after %s", now, taken)
	}
}
