package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Heralding runs a herald alone: told at once, told again after a while, and halted after another.
func Heralding(ctx workflow.Context, in Heralded, second, halt time.Duration) (Heralded, error) {
	h := newHerald(ctx, in)
	h.tell(ticket.AnnounceRequest{Proven: workflow.Now(ctx), Revision: 1})
	if err := workflow.Sleep(ctx, second); err != nil {
		return h.state, err
	}
	h.tell(ticket.AnnounceRequest{Proven: workflow.Now(ctx), Revision: 2})
	if err := workflow.Sleep(ctx, halt); err != nil {
		return h.state, err
	}
	h.halt()
	err := workflow.Await(ctx, h.idle)
	return h.state, err
}
