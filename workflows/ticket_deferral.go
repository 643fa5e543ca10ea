package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// maxDeferral bounds what a signal may ask for.
const maxDeferral = time.Hour

// deferral delays search attributes while an emergency moves every ticket: writing them costs Temporal's visibility store
// more than the rest of the step costs the server. They serve searching only; current details and query are up to date.
// The zero value delays nothing.
type deferral struct {
	by     time.Duration // zero: no longer
	cancel workflow.CancelFunc
}

// until delays them, unless they are delayed already: the emergency schedule may change again, and one write is enough.
func (d *deferral) until(wait time.Duration) {
	if wait > 0 {
		d.end()
		d.by = min(wait, maxDeferral)
	}
}

// end stops the delay, because another change is to be written.
func (d *deferral) end() {
	if d.cancel != nil {
		d.cancel()
	}
	*d = deferral{}
}

// active reports whether they are delayed. The first call starts the timer that ends the delay.
func (d *deferral) active(ctx workflow.Context, s workflow.Selector) bool {
	if d.by <= 0 {
		return false
	}
	if d.cancel == nil {
		timerCtx, cancel := workflow.WithCancel(ctx)
		d.cancel = cancel
		timer := workflow.NewTimerWithOptions(timerCtx, d.by, workflow.TimerOptions{Summary: "search attributes, after an emergency's transition"})
		s.AddFuture(timer, func(f workflow.Future) {
			if f.Get(ctx, nil) == nil {
				*d = deferral{}
			}
		})
	}
	return true
}
