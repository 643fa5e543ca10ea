package dispatch

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	enumspb "go.temporal.io/api/enums/v1"
	"go.temporal.io/api/serviceerror"
	"go.temporal.io/sdk/client"

	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// SignalTransition signals to a ticket's workflow a transition of the emergency schedule, so that it takes a step; its search
// attributes may follow after attributeDelay. A signal that is repeated, late or lost has no effect on when clocks ran. As in Deliver,
// a missing workflow is started, and one that has completed is left alone.
func (d *Dispatcher) SignalTransition(ctx context.Context, n ticket.Number, e ticket.Transition, revision int64, attributeDelay time.Duration) error {
	id, signal := workflows.TicketID(n), workflows.Signal{
		Emergency: string(e.Emergency), Schedule: revision, At: e.At, AttributesAfter: int64(attributeDelay / time.Second),
	}
	err := d.client.SignalWorkflow(ctx, id, "", string(e.Verb), signal)
	if _, missing := errors.AsType[*serviceerror.NotFound](err); missing { // or ended, which starting distinguishes
		_, err = d.client.SignalWithStartWorkflow(ctx, id, string(e.Verb), signal, d.options(n),
			workflows.TicketWorkflow, d.start(n))
	}
	if _, ended := errors.AsType[*serviceerror.WorkflowExecutionAlreadyStarted](err); ended {
		return nil
	}
	return kind(err, fmt.Sprintf("signal %s to ticket %s", e.Verb, n))
}

// EnsureEmergencyWorkflow starts the emergency workflow unless it runs.
func (d *Dispatcher) EnsureEmergencyWorkflow(ctx context.Context) error {
	_, err := d.client.ExecuteWorkflow(ctx, d.emergencyOptions(), workflows.EmergencyWorkflow, workflows.EmergencyStart{Page: d.pages.Emergencies})
	return kind(err, "start the workflow "+workflows.EmergencyWorkflow)
}

// NotifyEmergency signals to the emergency workflow that the emergency schedule was changed, and starts it if it doesn't run.
func (d *Dispatcher) NotifyEmergency(ctx context.Context, revision int64) error {
	_, err := d.client.SignalWithStartWorkflow(ctx, workflows.EmergencyID, workflows.ScheduleSignal,
		workflows.ScheduleChanged{Revision: revision}, d.emergencyOptions(), workflows.EmergencyWorkflow, workflows.EmergencyStart{Page: d.pages.Emergencies})
	return kind(err, fmt.Sprintf("notify the emergency workflow of revision %d", revision))
}

// emergencyGuide is shown in Temporal UI beside the current details, for a supervisor who has nothing else.
const emergencyGuide = `The query **emergency** returns the same and more, as JSON.

Manual commands, as signals or updates with JSON: **declare** {"kind": "closed"} or {"kind": "delayed", "seconds": 86400}, with
"from" and "until" as in "2026-12-01T09:00:00Z"; **change** {"until": "lifted"}; **extend** {"until": "…"}; **lift**, **cancel**.
If there are several, "emergency" says which one. The current details show outcomes and refusals.`

const emergencyStateHint = "The result of the last ReadEmergencySchedule shows what is in force and planned, even if no worker is running."

func (d *Dispatcher) emergencyOptions() client.StartWorkflowOptions {
	memo := map[string]any{memoState: emergencyStateHint}
	if d.pages.Emergencies != "" {
		memo[memoPage] = d.pages.Emergencies
	}
	return client.StartWorkflowOptions{
		ID:                       workflows.EmergencyID,
		TaskQueue:                workflows.EmergencyQueue,
		WorkflowIDReusePolicy:    enumspb.WORKFLOW_ID_REUSE_POLICY_ALLOW_DUPLICATE,
		WorkflowIDConflictPolicy: enumspb.WORKFLOW_ID_CONFLICT_POLICY_USE_EXISTING,
		StaticSummary:            "emergencies of the whole desk",
		StaticDetails:            emergencyGuide,
		WorkflowTaskTimeout:      taskTimeout,
		Memo:                     memo,
	}
}

// emergencySchedule is the revision of the emergency schedule, and whether the emergency workflow was notified of it.
type emergencySchedule interface {
	PendingScheduleRevision(context.Context) (revision int64, pending bool, err error)
	MarkScheduleNotified(ctx context.Context, revision int64) error
}

type emergencyWorkflow interface {
	NotifyEmergency(ctx context.Context, revision int64) error
}

// EmergencyNotifier notifies the emergency workflow of changes of the emergency schedule, at least once of the newest
// revision: at once while Temporal answers, and otherwise when it is back. Callers that change the schedule call Wake.
type EmergencyNotifier struct {
	schedule emergencySchedule
	workflow emergencyWorkflow
	loop     *loop.Loop
}

// NewEmergencyNotifier returns a notifier of w about changes of s.
func NewEmergencyNotifier(s emergencySchedule, w emergencyWorkflow, log *slog.Logger) *EmergencyNotifier {
	return &EmergencyNotifier{schedule: s, workflow: w, loop: loop.New(loop.Options{
		First: minPause, Max: maxPause, Log: log,
		Failing:   "the emergency workflow can't be notified of a change",
		Recovered: "the emergency workflow is notified of changes again",
	})}
}

// Wake makes Run look for a change at once. It never blocks.
func (n *EmergencyNotifier) Wake() { n.loop.Wake() }

// Run notifies the workflow until ctx ends.
func (n *EmergencyNotifier) Run(ctx context.Context) error {
	return n.loop.Run(ctx, func(ctx context.Context) (time.Duration, error) { return sweepInterval, n.notify(ctx) })
}

func (n *EmergencyNotifier) notify(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, attemptTimeout)
	defer cancel()
	revision, pending, err := n.schedule.PendingScheduleRevision(ctx)
	if err != nil || !pending {
		return err
	}
	if err := n.workflow.NotifyEmergency(ctx, revision); err != nil {
		return err
	}
	return n.schedule.MarkScheduleNotified(ctx, revision)
}
