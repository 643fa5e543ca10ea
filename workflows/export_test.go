package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"
)

// Heralding runs a herald alone: told at once, told again after a while, and halted after another.
func Heralding(ctx workflow.Context, in Heralded, second, halt time.Duration) (Heralded, error) {
	h := newHerald(ctx, in)
	h.tell(workflow.Now(ctx), 1)
	if err := workflow.Sleep(ctx, second); err != nil {
		return h.state, err
	}
	h.tell(workflow.Now(ctx), 2)
	if err := workflow.Sleep(ctx, halt); err != nil {
		return h.state, err
	}
	h.halt()
	err := workflow.Await(ctx, h.idle)
	return h.state, err
}
