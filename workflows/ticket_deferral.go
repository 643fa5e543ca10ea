package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// longestLater bounds what a signal may ask for.
const maxDeferral = time.Hour

// deferral has search attributes wait when the whole desk moves at once: to write them costs Temporal's visibility store
// more than all the rest of a step costs the server. They only serve searching, and lag in any case; what the ticket
// itself shows, its card and its query, is right at once. The zero value has nothing wait.
type deferral struct {
	by     time.Duration // zero: no longer
	cancel workflow.CancelFunc
}

// until puts them off. Those that wait already wait on: the desk moves again, and to write them once is enough.
func (d *deferral) until(wait time.Duration) {
	if wait > 0 {
		d.end()
		d.by = min(wait, maxDeferral)
	}
}

// end has them written now, because something else is to be.
func (d *deferral) end() {
	if d.cancel != nil {
		d.cancel()
	}
	*d = deferral{}
}

// holds reports whether they wait. The first time it sets the timer that ends it, and wakes the main loop.
func (d *deferral) active(ctx workflow.Context, s workflow.Selector) bool {
	if d.by <= 0 {
		return false
	}
	if d.cancel == nil {
		timerCtx, cancel := workflow.WithCancel(ctx)
		d.cancel = cancel
		timer := workflow.NewTimerWithOptions(timerCtx, d.by, workflow.TimerOptions{Summary: "search attributes, after the rush"})
		s.AddFuture(timer, func(f workflow.Future) {
			if f.Get(ctx, nil) == nil {
				*d = deferral{}
			}
		})
	}
	return true
}
