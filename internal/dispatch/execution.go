package dispatch

import (
	"context"
	"errors"
	"fmt"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/api/workflowservice/v1"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// Execution is the state of a ticket's workflow in Temporal.
type Execution struct {
	Running bool // false if there is none or it has ended
	Task    int  // attempts of the pending workflow task; 0 if there is none
	Steps   int  // activities that are pending, by kind
	Mails   int
	Calls   int
}

// Execution describes a ticket's workflow.
func (d *Dispatcher) Execution(ctx context.Context, n ticket.Number) (Execution, error) {
	described, err := d.client.DescribeWorkflowExecution(ctx, workflows.TicketID(n), "")
	if _, missing := errors.AsType[*serviceerror.NotFound](err); missing {
		return Execution{}, nil
	}
	if err != nil {
		return Execution{}, kind(err, fmt.Sprintf("describe ticket %s", n))
	}
	e := Execution{
		Running: described.GetWorkflowExecutionInfo().GetStatus() == enumspb.WORKFLOW_EXECUTION_STATUS_RUNNING,
		Task:    int(described.GetPendingWorkflowTask().GetAttempt()),
	}
	for _, a := range described.GetPendingActivities() {
		switch a.GetActivityType().GetName() {
		case workflows.StepActivity:
			e.Steps++
		case workflows.MailActivity:
			e.Mails++
		case workflows.WebhookActivity:
			e.Calls++
		}
	}
	return e, nil
}

// Reconcile signals a ticket's workflow to take a step. One that is missing or has ended, however it did, is started: its
// first step reads the ticket's state from PostgreSQL. It is idempotent.
func (d *Dispatcher) Reconcile(ctx context.Context, n ticket.Number) error {
	o := d.options(n)
	o.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	_, err := d.client.SignalWithStartWorkflow(ctx, o.ID, workflows.ReconcileSignal, nil, o,
		workflows.TicketWorkflow, d.start(n))
	return kind(err, fmt.Sprintf("reconcile ticket %s", n))
}

// runningPage is how many workflows one page of a list has.
const runningPage = 1000

// Running returns those of some tickets, ascending, whose workflows run as far as Temporal's visibility store knows. It lags, so others may run too.
func (d *Dispatcher) Running(ctx context.Context, some []ticket.Number) (map[ticket.Number]bool, error) {
	running := map[ticket.Number]bool{}
	if len(some) == 0 {
		return running, nil
	}
	request := &workflowservice.ListWorkflowExecutionsRequest{
		Query: fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running' AND WorkflowId BETWEEN '%s' AND '%s'",
			workflows.TicketWorkflow, workflows.TicketID(some[0]), workflows.TicketID(some[len(some)-1])),
		PageSize: runningPage,
	}
	for {
		page, err := d.client.ListWorkflow(ctx, request)
		if err != nil {
			return nil, kind(err, "list the tickets that run")
		}
		for _, e := range page.GetExecutions() {
			running[ticket.Number(e.GetExecution().GetWorkflowId())] = true
		}
		if request.NextPageToken = page.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return running, nil
		}
	}
}
