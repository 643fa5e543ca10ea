package dispatch

import (
	"context"
	"errors"
	"fmt"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// TellEdge tells a ticket's workflow of an edge of the gate, so that it takes a step. Told twice, late or never, it
// changes nothing about when clocks ran. Its search attributes may follow later. As with Deliver, a workflow that is missing is started, and one that has ended
// well needs to be told nothing.
func (d *Dispatcher) TellEdge(ctx context.Context, n ticket.Number, e ticket.Edge, gate int64, later time.Duration) error {
	id, signal := workflows.TicketID(n), workflows.Signal{
		Emergency: string(e.Emergency), Gate: gate, At: e.At, Later: int64(later / time.Second),
	}
	err := d.client.SignalWorkflow(ctx, id, "", string(e.Verb), signal)
	if _, missing := errors.AsType[*serviceerror.NotFound](err); missing { // or ended, which the start tells apart
		_, err = d.client.SignalWithStartWorkflow(ctx, id, string(e.Verb), signal, options(n),
			workflows.TicketWorkflow, workflows.Start{Number: n})
	}
	if _, ended := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ended {
		return nil
	}
	return kind(err, fmt.Sprintf("tell ticket %s of %s", n, e.Verb))
}

// KeepEmergency sees to it that the workflow Emergency runs.
func (d *Dispatcher) KeepEmergency(ctx context.Context) error {
	_, err := d.client.ExecuteWorkflow(ctx, emergencyOptions(), workflows.EmergencyWorkflow, workflows.EmergencyStart{})
	return kind(err, "start the workflow "+workflows.EmergencyWorkflow)
}

// TellGate tells the workflow Emergency that the gate was changed, and starts it if it doesn't run.
func (d *Dispatcher) TellGate(ctx context.Context, revision int64) error {
	_, err := d.client.SignalWithStartWorkflow(ctx, workflows.EmergencyID, workflows.GateSignal,
		workflows.GateChanged{Revision: revision}, emergencyOptions(), workflows.EmergencyWorkflow, workflows.EmergencyStart{})
	return kind(err, fmt.Sprintf("tell of the gate's revision %d", revision))
}

// emergencyGuide is what Temporal UI shows beside the card, for a supervisor who has nothing else.
const emergencyGuide = `The query **emergency** tells everything.

Signals by hand, with JSON: **declare** {"kind": "closed"} or {"kind": "delayed", "seconds": 86400}, and with "from" and
"until" as in "2026-12-01T09:00:00Z"; **change** {"until": "lifted"}; **extend** {"until": "…"}; **lift**, **cancel**.
Where there are several, "emergency" says which. What can't be done is refused, and the card says why.`

func emergencyOptions() client.StartWorkflowOptions {
	return client.StartWorkflowOptions{
		ID:                       workflows.EmergencyID,
		TaskQueue:                workflows.EmergencyQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "the desk's emergencies",
		StaticDetails:            emergencyGuide,
		WorkflowTaskTimeout:      taskTimeout,
	}
}
