package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// maxDeferral limits the delay that a signal may ask for.
const maxDeferral = time.Hour

// deferral delays search attributes during a fan-out, when all tickets change at once: updating them costs Temporal more
// than the rest of the step. Only searches lag behind; current details and query are up to date. The zero value delays
// nothing.
type deferral struct {
	by     time.Duration // zero: no delay
	cancel workflow.CancelFunc
}

// until delays search attributes by wait, at most maxDeferral. It replaces an earlier delay, so that one update covers
// several transitions.
func (d *deferral) until(wait time.Duration) {
	if wait > 0 {
		d.end()
		d.by = min(wait, maxDeferral)
	}
}

// end ends the delay.
func (d *deferral) end() {
	if d.cancel != nil {
		d.cancel()
	}
	*d = deferral{}
}

// active reports whether search attributes are delayed. The first call starts the timer that ends the delay.
func (d *deferral) active(ctx workflow.Context, s workflow.Selector) bool {
	if d.by <= 0 {
		return false
	}
	if d.cancel == nil {
		timerCtx, cancel := workflow.WithCancel(ctx)
		d.cancel = cancel
		timer := workflow.NewTimerWithOptions(timerCtx, d.by, workflow.TimerOptions{Summary: "update search attributes after a transition"})
		s.AddFuture(timer, func(f workflow.Future) {
			if f.Get(ctx, nil) == nil {
				*d = deferral{}
			}
		})
	}
	return true
}
