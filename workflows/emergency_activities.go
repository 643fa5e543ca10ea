package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The activities of the emergency workflow, as they are registered and shown.
const (
	ReadScheduleActivity  = "ReadEmergencySchedule"
	CheckTicketsActivity  = "CheckTickets"
	NotifyTicketsActivity = "NotifyTickets"
	ManualCommandActivity = "RunManualCommand"
)

// emergencyActivity sets the options of a regular activity, which outlasts an outage of any length without an event.
func emergencyActivity(ctx workflow.Context, summary string, o workflow.ActivityOptions) workflow.Context {
	o.TaskQueue, o.Summary = EmergencyQueue, summary
	o.RetryPolicy = &temporal.RetryPolicy{
		InitialInterval: 200 * time.Millisecond, BackoffCoefficient: 2, MaximumInterval: 5 * time.Second,
	}
	return workflow.WithActivityOptions(ctx, o)
}

func callReadSchedule(ctx workflow.Context) (o ticket.EmergencyOutlook, err error) {
	ctx = emergencyActivity(ctx, "read the emergency schedule", workflow.ActivityOptions{StartToCloseTimeout: 10 * time.Second})
	err = workflow.ExecuteActivity(ctx, ReadScheduleActivity).Get(ctx, &o)
	return o, err
}

// callCheckTickets may take as long as it takes to count a few million tickets.
func callCheckTickets(ctx workflow.Context, edge ticket.Transition) (p ticket.FanoutCheck, err error) {
	ctx = emergencyActivity(ctx, "check that every open ticket has taken up "+transitionLine(edge), workflow.ActivityOptions{
		StartToCloseTimeout: 2 * time.Minute,
	})
	err = workflow.ExecuteActivity(ctx, CheckTicketsActivity, edge).Get(ctx, &p)
	return p, err
}

// notifyAttempts take half a minute if each fails at once.
const notifyAttempts = 10

// callNotifyTickets notifies tickets for a few seconds. A worker that was killed is noticed by missing heartbeats, and
// the next attempt resumes from the last one.
//
// It is given up after some attempts, so that one ticket that fails each of them does not hold up the rest of the work.
func callNotifyTickets(ctx workflow.Context, r ticket.FanoutRequest, f Fanout) (result ticket.FanoutResult, err error) {
	summary := fmt.Sprintf("notify open tickets of %s: %d notified", transitionLine(r.Transition), f.Notified)
	ctx = emergencyActivity(ctx, summary, workflow.ActivityOptions{StartToCloseTimeout: 5 * time.Minute, HeartbeatTimeout: 10 * time.Second})
	options := workflow.GetActivityOptions(ctx)
	options.RetryPolicy.MaximumAttempts = notifyAttempts
	ctx = workflow.WithActivityOptions(ctx, options)
	err = workflow.ExecuteActivity(ctx, NotifyTicketsActivity, r).Get(ctx, &result)
	return result, err
}

func callManualCommand(ctx workflow.Context, hand ticket.ManualEmergencyCommand) (result ticket.ManualEmergencyResult, err error) {
	ctx = emergencyActivity(ctx, hand.Name+", sent by hand", workflow.ActivityOptions{StartToCloseTimeout: 30 * time.Second})
	err = workflow.ExecuteActivity(ctx, ManualCommandActivity, hand).Get(ctx, &result)
	return result, err
}
