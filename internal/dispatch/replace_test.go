package dispatch_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	enumspb "go.temporal.io/api/enums/v1"

	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// status returns the status of a run.
func status(t *testing.T, s *desktest.Site, id, run string) enumspb.WorkflowExecutionStatus {
	t.Helper()
	d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), id, run)
	if err != nil {
		t.Fatalf("describe: %v", err)
	}
	return d.GetWorkflowExecutionInfo().GetStatus()
}

// terminatedFor returns the reason for which a run was terminated.
func terminatedFor(t *testing.T, s *desktest.Site, id, run string) string {
	t.Helper()
	events := s.Temporal.GetWorkflowHistory(t.Context(), id, run, false, enumspb.HISTORY_EVENT_FILTER_TYPE_CLOSE_EVENT)
	last, err := events.Next()
	if err != nil {
		t.Fatalf("read the history: %v", err)
	}
	return last.GetWorkflowExecutionTerminatedEventAttributes().GetReason()
}

// A ticket restored to before its workflow has undecided commands that the workflow considers old.
func TestReplace_startsAnewWhatRunsAndTakesWhatIsUndecided(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	before := runID(t, s)
	s.Accept(number, note) // without a signal
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	s.Check(d.Replace(t.Context(), workflows.TicketID(number), 7))
	s.Await("the note", func() bool { return s.State(number).Command == 2 })
	if runID(t, s) == before {
		t.Error("the workflow runs on")
	}
	if got, want := terminatedFor(t, s, workflows.TicketID(number), before), "replaced after a restore of PostgreSQL or an upgrade, epoch 7"; got != want {
		t.Errorf("terminated: %q, want %q", got, want)
	}
	s.Ask(number, end)
	s.Ended(number)
}

func TestReplace_startsAnewWhatHasEndedOrNeverRan(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Ask(number, end)
	s.Ended(number)
	s.Accept(number, note)
	const lost ticket.Number = "HM-0000000001"
	s.Submit(lost)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	for _, n := range []ticket.Number{number, lost} {
		s.Check(d.Replace(t.Context(), workflows.TicketID(n), 7))
	}
	s.Await("the note", func() bool { return s.State(number).Command == 3 })
	s.Await("the submission", func() bool { return s.State(lost).Command == 1 })
	s.Ended(number)
}

func TestReplace_startsTheEmergencyAnew(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	s.Check(d.EnsureEmergencyWorkflow(t.Context()))
	first, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.EmergencyID, "")
	s.Check(err)
	run := first.GetWorkflowExecutionInfo().GetExecution().GetRunId()
	s.Check(d.Replace(t.Context(), workflows.EmergencyID, 7))
	if got := status(t, s, workflows.EmergencyID, run); got != enumspb.WORKFLOW_EXECUTION_STATUS_TERMINATED {
		t.Errorf("the first run is %s", got)
	}
	now, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.EmergencyID, "")
	s.Check(err)
	info := now.GetWorkflowExecutionInfo()
	if info.GetType().GetName() != workflows.EmergencyWorkflow || info.GetTaskQueue() != workflows.EmergencyQueue || info.GetStatus() != enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING {
		t.Errorf("it runs as %v", info)
	}
}

func TestRunningTickets_listsThoseThatRunAndAbandonEndsThem(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	s.Check(d.EnsureEmergencyWorkflow(t.Context()))
	var numbers []ticket.Number
	for i := range 3 {
		n := ticket.Number(fmt.Sprintf("HM-%010d", i))
		numbers = append(numbers, n)
		s.Tell(n, s.Submit(n))
	}
	running := func() (all []ticket.Number) {
		t.Helper()
		s.Check(d.RunningTickets(t.Context(), func(some []ticket.Number) error {
			all = append(all, some...)
			return nil
		}))
		slices.Sort(all)
		return all
	}
	s.Await("all to be listed", func() bool { return slices.Equal(running(), numbers) })
	run := runOf(t, s, numbers[0])
	for range 2 { // again changes nothing
		s.Check(d.Abandon(t.Context(), numbers[0], 7))
	}
	s.Check(d.Abandon(t.Context(), "HM-9999999999", 7)) // nor one that never was
	s.Await("one to be gone", func() bool { return slices.Equal(running(), numbers[1:]) })
	if got := terminatedFor(t, s, workflows.TicketID(numbers[0]), run); !strings.Contains(got, "does not have this ticket, epoch 7") {
		t.Errorf("terminated: %q", got)
	}
}

func runOf(t *testing.T, s *desktest.Site, n ticket.Number) string {
	t.Helper()
	d, err := s.Temporal.DescribeWorkflowExecution(t.Context(), workflows.TicketID(n), "")
	s.Check(err)
	return d.GetWorkflowExecutionInfo().GetExecution().GetRunId()
}
