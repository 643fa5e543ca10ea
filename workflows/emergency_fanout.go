package workflows

import (
	"fmt"
	"time"

	"go.temporal.io/sdk/temporal"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Fanout is the progress of notifying open tickets of a transition. It proceeds in rounds: a check counts the tickets that
// are behind, these are notified, and the next check counts those that still are. It ends when a check finds none.
type Fanout struct {
	Transition ticket.Transition  `json:"transition"`
	Began      time.Time          `json:"began"`
	Total      int                `json:"total"`                // tickets behind at the first check
	Notified   int                `json:"notified"`             // number of signals sent, including repeated ones
	Round      int                `json:"round"`                // number of checks so far
	After      ticket.Number      `json:"after,omitempty"`      // the last ticket notified in this round
	RoundOver  bool               `json:"round_over,omitempty"` // all tickets of this round are notified
	Check      ticket.FanoutCheck `json:"check"`                // result of the last check
	RetryAt    time.Time          `json:"retry_at,omitzero"`    // when the next round starts; zero: now
	DoneAt     time.Time          `json:"done_at,omitzero"`     // zero: not done

	Partials  int       `json:"partials,omitempty"`  // number of partial announcements
	PartialAt time.Time `json:"partial_at,omitzero"` // time of the last one
}

// due reports whether the next part of the fan-out is to be done now.
func (f Fanout) due() bool {
	return !f.Transition.At.IsZero() && f.DoneAt.IsZero() && f.RetryAt.IsZero()
}

// partialDue returns when to announce the transition to requesters whose tickets have applied it, if the fan-out is not
// done by then. It recurs at growing intervals, for tickets that have applied it since. Zero means never.
func (f Fanout) partialDue() time.Time {
	switch {
	case f.Transition.At.IsZero() || !f.DoneAt.IsZero():
		return time.Time{}
	case f.Partials == 0:
		return f.Began.Add(ticket.FanoutTimeout)
	}
	return f.PartialAt.Add(min(ticket.FanoutTimeout<<min(f.Partials-1, 10), maxFanoutPause))
}

// late reports whether the fan-out takes too long although all tickets were notified, so that details list those behind.
func (f Fanout) late(now time.Time) bool {
	return f.Round > 1 && f.DoneAt.IsZero() && len(f.Check.Late) > 0 && now.Sub(f.Began) >= ticket.FanoutTimeout
}

// maxFanoutPause limits the pause between rounds. Tickets are behind for so long only if their worker was killed or they
// are defective.
const maxFanoutPause = 10 * time.Minute

// fanOut does the next part of a fan-out: a check, or a slice of notifications.
func (w *emergencyWorkflow) fanOut(ctx workflow.Context) error {
	if w.fanout.Round == 0 || w.fanout.RoundOver {
		return w.checkTickets(ctx)
	}
	result, err := callNotifyTickets(ctx, ticket.FanoutRequest{
		Transition: w.fanout.Transition, ScheduleRevision: w.schedule.Revision, After: w.fanout.After,
		Total: w.fanout.Total, Notified: w.fanout.Notified, Began: w.fanout.Began,
	}, w.fanout)
	if err != nil {
		// Tickets that are still behind are notified again after the next check.
		workflow.GetLogger(ctx).Error("tickets could not be notified", "error", err)
		w.fanout.RoundOver = true
		return nil
	}
	w.fanout.After, w.fanout.RoundOver = result.After, result.Done
	w.fanout.Notified += result.Notified
	return nil
}

// checkTickets checks which tickets are behind, and starts the next round or ends the fan-out.
func (w *emergencyWorkflow) checkTickets(ctx workflow.Context) error {
	check, err := callCheckTickets(ctx, w.fanout.Transition)
	if err != nil {
		return err
	}
	now, f := workflow.Now(ctx), &w.fanout
	if check.Passed {
		w.stale = true                   // readSchedule then replaces this transition by the later one
		f.RetryAt = now.Add(time.Second) // in case it does not
		return nil
	}
	if f.Round == 0 {
		f.Total = check.Left()
	}
	f.Check, f.After, f.RoundOver = check, "", false
	switch f.Round++; {
	case check.Left() == 0:
		f.DoneAt = now
		w.announce()
	case f.Round > 1:
		f.RetryAt = now.Add(min(time.Second<<min(f.Round-2, 10), maxFanoutPause))
	}
	return nil
}

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
