package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The names of the activities of the emergency workflow.
const (
	ReadScheduleActivity  = "ReadEmergencySchedule"
	CheckTicketsActivity  = "CheckTickets"
	NotifyTicketsActivity = "NotifyTickets"
	ManualCommandActivity = "RunManualCommand"
)

// emergencyActivity returns a context with the options of an activity. Its retries cost no events, however long an outage.
func emergencyActivity(ctx workflow.Context, summary string, o workflow.ActivityOptions) workflow.Context {
	o.TaskQueue, o.Summary = EmergencyQueue, summary
	o.RetryPolicy = &temporal.RetryPolicy{
		InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second,
	}
	return workflow.WithActivityOptions(ctx, o)
}

// callReadSchedule reads the emergency schedule.
func callReadSchedule(ctx workflow.Context) (o ticket.EmergencyOutlook, err error) {
	ctx = emergencyActivity(ctx, "read the emergency schedule", workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	err = workflow.ExecuteActivity(ctx, ReadScheduleActivity).Get(ctx, &o)
	return o, err
}

// callCheckTickets checks all open tickets. The time-out allows for a few million.
func callCheckTickets(ctx workflow.Context, transition ticket.Transition) (p ticket.FanoutCheck, err error) {
	ctx = emergencyActivity(ctx, "check that every open ticket has applied "+transitionLine(transition), workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Minute,
	})
	err = workflow.ExecuteActivity(ctx, CheckTicketsActivity, transition).Get(ctx, &p)
	return p, err
}

// notifyAttempts is the number of attempts, which take half a minute if each fails at once.
const notifyAttempts = 10

// callNotifyTickets notifies tickets for some seconds. If a worker is killed, its heartbeats stop, and the next attempt
// resumes from the last one. It returns an error after notifyAttempts, so that a ticket that fails each of them does not
// block the fan-out.
func callNotifyTickets(ctx workflow.Context, r ticket.FanoutRequest, f Fanout) (result ticket.FanoutResult, err error) {
	summary := fmt.Sprintf("notify open tickets of %s: %d notified so far", transitionLine(r.Transition), f.Notified)
	ctx = emergencyActivity(ctx, summary, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 10 * time.Second})
	options := workflow.GetActivityOptions(ctx)
	options.RetryPolicy.MaximumAttempts = notifyAttempts
	ctx = workflow.WithActivityOptions(ctx, options)
	err = workflow.ExecuteActivity(ctx, NotifyTicketsActivity, r).Get(ctx, &result)
	return result, err
}

// callManualCommand executes a manual command.
func callManualCommand(ctx workflow.Context, command ticket.ManualEmergencyCommand) (result ticket.ManualEmergencyResult, err error) {
	ctx = emergencyActivity(ctx, command.Name+" (manual)", workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
	err = workflow.ExecuteActivity(ctx, ManualCommandActivity, command).Get(ctx, &result)
	return result, err
}
