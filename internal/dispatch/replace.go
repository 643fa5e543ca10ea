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

// Replace terminates the workflow with an ID, a ticket's or the emergency workflow, if it runs, and starts it anew. The new run
// has only the state that its first step reads from PostgreSQL.
func (d *Dispatcher) Replace(ctx context.Context, id string, epoch int64) error {
	// Starting would terminate it too, but record a reason of Temporal's own.
	err := d.terminate(ctx, id, fmt.Sprintf("replaced after a restore of PostgreSQL, epoch %d", epoch))
	if err != nil {
		return err
	}
	start, workflow, input := d.options(ticket.Number(id)), workflows.TicketWorkflow, any(d.start(ticket.Number(id)))
	if id == workflows.EmergencyID {
		start, workflow, input = d.emergencyOptions(), workflows.EmergencyWorkflow, workflows.EmergencyStart{Page: d.pages.Emergencies}
	}
	start.WorkflowIDReusePolicy = enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE
	start.WorkflowIDConflictPolicy = enumspb.WORKFLOW_ID_CONFLICT_POLICY_TERMINATE_EXISTING
	_, err = d.client.ExecuteWorkflow(ctx, start, workflow, input)
	return kind(err, "start workflow "+id+" anew")
}

// Abandon terminates the workflow of a ticket that is not in PostgreSQL.
func (d *Dispatcher) Abandon(ctx context.Context, n ticket.Number, epoch int64) error {
	return d.terminate(ctx, workflows.TicketID(n), fmt.Sprintf("PostgreSQL was restored from a copy that does not have this ticket, epoch %d", epoch))
}

// terminate succeeds when there is no such workflow, or none that runs.
func (d *Dispatcher) terminate(ctx context.Context, id, reason string) error {
	err := d.client.TerminateWorkflow(ctx, id, "", reason)
	if _, none := errors.AsType[*serviceerror.NotFound](err); none {
		return nil
	}
	return kind(err, "terminate workflow "+id)
}

// listPage is the page size of RunningTickets.
const listPage = 500

// RunningTickets calls page with the numbers of tickets whose workflows run, until it fails. They are read from Temporal's
// visibility store, which may lack those started a moment ago.
func (d *Dispatcher) RunningTickets(ctx context.Context, page func([]ticket.Number) error) error {
	request := &workflowservice.ListWorkflowExecutionsRequest{
		PageSize: listPage,
		Query:    fmt.Sprintf("WorkflowType = '%s' AND ExecutionStatus = 'Running'", workflows.TicketWorkflow),
	}
	for {
		response, err := d.client.ListWorkflow(ctx, request)
		if err != nil {
			return kind(err, "list the running workflows")
		}
		var numbers []ticket.Number
		for _, e := range response.GetExecutions() {
			numbers = append(numbers, ticket.Number(e.GetExecution().GetWorkflowId()))
		}
		if err := page(numbers); err != nil {
			return err
		}
		if request.NextPageToken = response.GetNextPageToken(); len(request.NextPageToken) == 0 {
			return nil
		}
	}
}
