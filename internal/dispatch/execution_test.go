package dispatch_test

import (
	"context"
	"errors"
	"testing"
	"time"

	commonpb "go.temporal.io/api/common/v1"
	"go.temporal.io/api/workflowservice/v1"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/temporaltest"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

const second ticket.Number = "HM-8Q2K9XM4TD"

func TestExecution_describesWhatAWorkflowDoes(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	look := func() dispatch.Execution {
		t.Helper()
		e, err := d.Execution(t.Context(), number)
		s.Check(err)
		return e
	}
	if e := look(); e != (dispatch.Execution{}) {
		t.Errorf("there is none, and it is %+v", e)
	}
	s.OnMail(func(context.Context, ticket.Owed) (bool, error) { return false, errors.New("the mail server is away") })
	s.Tell(number, s.Submit(number))
	s.Await("a task without a worker", func() bool { e := look(); return e.Running && e.Task == 1 })
	s.Work()
	s.Await("a mail that is tried", func() bool { return look() == dispatch.Execution{Running: true, Mails: 1} })
	s.Check(s.Temporal.TerminateWorkflow(t.Context(), workflows.TicketID(number), "", "by mistake"))
	if e := look(); e.Running {
		t.Errorf("terminated, it is %+v", e)
	}
}

func TestReconcile_startsWhateverDoesNotRun(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	s.Work()
	s.Tell(number, s.Submit(number))
	s.Await("the submission", func() bool { return s.State(number).Command == 1 })
	run := runID(t, s)
	s.Accept(number, note)
	s.Check(d.Reconcile(t.Context(), number))
	s.Await("a command without a signal", func() bool { return s.State(number).Command == 2 })
	if again := runID(t, s); again != run {
		t.Errorf("a workflow that runs was started again, as %s", again)
	}
	s.Ask(number, end)
	s.Ended(number)
	s.Accept(number, note)
	s.Check(d.Reconcile(t.Context(), number))
	s.Await("a command accepted after a workflow has ended", func() bool { return s.State(number).Command == 4 })
	s.Ended(number)
	_, err := s.Temporal.WorkflowService().DeleteWorkflowExecution(t.Context(), &workflowservice.DeleteWorkflowExecutionRequest{
		Namespace: client.DefaultNamespace, WorkflowExecution: &commonpb.WorkflowExecution{WorkflowId: workflows.TicketID(number)},
	})
	s.Check(err)
	s.Accept(number, note)
	s.Check(d.Reconcile(t.Context(), number))
	s.Await("a command accepted after a workflow was deleted", func() bool { return s.State(number).Command == 5 })
}

func TestRunning_listsWhatRunsOfSome(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	d := dispatch.New(s.Temporal.Client, dispatch.Pages{})
	s.Work()
	for _, n := range []ticket.Number{number, second} {
		s.Tell(n, s.Submit(n))
		s.Await("the submission", func() bool { return s.State(n).Command == 1 })
	}
	runs := func(some ...ticket.Number) int {
		t.Helper()
		running, err := d.Running(t.Context(), some)
		s.Check(err)
		return len(running)
	}
	s.Await("both are listed", func() bool { return runs(number, second) == 2 })
	if n := runs(second, second); n != 1 {
		t.Errorf("of one ticket %d are listed", n)
	}
	if n := runs(); n != 0 {
		t.Errorf("of none %d are listed", n)
	}
	s.Check(s.Temporal.TerminateWorkflow(t.Context(), workflows.TicketID(second), "", "by mistake"))
	s.Await("one is listed", func() bool { return runs(number, second) == 1 })
}

func TestEnsureNamespace_registersWhatIsMissing(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	c, err := dispatch.Connect(dispatch.Options{Address: server.HostPort, Namespace: "lost"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	if missing, attributes, err := dispatch.Lacking(t.Context(), c); !missing || len(attributes) > 0 || err != nil {
		t.Errorf("the namespace is missing: %v, %v, %v", missing, attributes, err)
	}
	if err := dispatch.EnsureNamespace(t.Context(), c); fault.KindOf(err) != fault.Unavailable {
		t.Errorf("registered just now: %v", err)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		err := dispatch.EnsureNamespace(t.Context(), c)
		if err == nil {
			break
		}
		if fault.KindOf(err) != fault.Unavailable || time.Now().After(deadline) {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond) // between looks
	}
	if missing, attributes, err := dispatch.Lacking(t.Context(), c); missing || len(attributes) > 0 || err != nil {
		t.Errorf("afterwards the namespace is missing: %v, %v, %v", missing, attributes, err)
	}
}
