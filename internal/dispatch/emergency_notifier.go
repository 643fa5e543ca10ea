package dispatch

import (
	"context"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

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
