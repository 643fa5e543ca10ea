package workflows

import (
	"time"

	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// RunAnnouncer runs an announcer alone: it requests at once and again after a while, and then stops it.
func RunAnnouncer(ctx workflow.Context, in AnnouncementState, second, halt time.Duration) (AnnouncementState, error) {
	h := newAnnouncer(ctx, in)
	h.request(ticket.AnnounceRequest{CheckedAt: workflow.Now(ctx), Revision: 1})
	if err := workflow.Sleep(ctx, second); err != nil {
		return h.state, err
	}
	h.request(ticket.AnnounceRequest{CheckedAt: workflow.Now(ctx), Revision: 2})
	if err := workflow.Sleep(ctx, halt); err != nil {
		return h.state, err
	}
	h.stopWork()
	err := workflow.Await(ctx, h.idle)
	return h.state, err
}
