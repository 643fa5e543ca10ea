package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// dueTimer is the timer for the next due event. Its zero value is not armed. arm replaces the timer only if the due instant
// changes, because a timer that is cancelled and started at every wake-up would fill the history.
type dueTimer struct {
	armed  ticket.DueEvent
	cancel workflow.CancelFunc
	timers int  // number of timers started; only the last one is valid
	behind bool // a step found that the event was not due, because PostgreSQL's clock is behind Temporal's
}

// arm starts the timer for an event, and calls onDue when it fires. The timer of an event in the past fires at once. An
// event without a kind only stops the timer.
func (t *dueTimer) arm(ctx workflow.Context, e ticket.DueEvent, s workflow.Selector, onDue func(ticket.DueEvent)) {
	if t.armed.Due.Equal(e.Due) && t.armed.Kind != "" {
		t.armed = e
		return
	}
	if t.cancel != nil {
		t.cancel()
		t.cancel = nil
	}
	t.armed = e
	if e.Kind == "" {
		return
	}
	wait := max(e.Due.Sub(workflow.Now(ctx)), 0)
	if t.behind {
		wait, t.behind = max(wait, time.Second), false
	}
	t.timers++
	current := t.timers
	timerCtx, cancel := workflow.WithCancel(ctx)
	t.cancel = cancel
	timer := workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: e.Label})
	s.AddFuture(timer, func(f workflow.Future) {
		// A timer that fired during a step can no longer be cancelled, and its event may be obsolete.
		if err := f.Get(ctx, nil); err != nil || t.timers != current || t.armed.Kind == "" {
			return
		}
		fired := t.armed
		t.armed, t.cancel = ticket.DueEvent{}, nil
		onDue(fired)
	})
}
