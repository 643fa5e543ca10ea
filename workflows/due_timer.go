package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// dueTimer is the one timer for the next due event. Its zero value is not armed. It is replaced only when the due instant
// changes: a timer cancelled and started at every wake-up would fill the history.
type dueTimer struct {
	armed  ticket.DueEvent
	cancel workflow.CancelFunc
	timers int  // how many there were; only the last one counts
	behind bool // the step found that its event was not due: the database's clock is behind the server's
}

// arm starts the timer, which calls onDue when it fires. An event in the past fires at once.
func (a *dueTimer) arm(ctx workflow.Context, m ticket.DueEvent, s workflow.Selector, ring func(ticket.DueEvent)) {
	if a.armed.Due.Equal(m.Due) && a.armed.Kind != "" {
		a.armed = m
		return
	}
	if a.cancel != nil {
		a.cancel()
		a.cancel = nil
	}
	a.armed = m
	if m.Kind == "" {
		return
	}
	wait := max(m.Due.Sub(workflow.Now(ctx)), 0)
	if a.behind {
		wait, a.behind = max(wait, time.Second), false
	}
	a.timers++
	current := a.timers
	timerCtx, cancel := workflow.WithCancel(ctx)
	a.cancel = cancel
	timer := workflow.NewTimerWithOptions(timerCtx, wait, workflow.TimerOptions{Summary: m.Label})
	s.AddFuture(timer, func(f workflow.Future) {
		// A timer that fired during a step can't be cancelled any more, and its event may be obsolete.
		if err := f.Get(ctx, nil); err != nil || a.timers != current || a.armed.Kind == "" {
			return
		}
		rung := a.armed
		a.armed, a.cancel = ticket.DueEvent{}, nil
		ring(rung)
	})
}
