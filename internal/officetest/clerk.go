package officetest

import (
	"context"
	"sync"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Clerk stands where the workflows are: it takes every command as soon as it is accepted, by the same step.
type Clerk struct {
	Away sync.Mutex // held by a test while the clerk is out

	store *store.Store
	steps *app.Steps
	bell  chan struct{}
}

// Wake never waits: one ring is enough for whatever is there.
func (c *Clerk) Wake() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

func (c *Clerk) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.bell:
		}
		// Until there is none: a ticket's submission keeps its later commands out of the same round.
		for left := 1; left > 0; {
			var err error
			c.Away.Lock()
			left, err = c.store.Undelivered(ctx, 100, 100, c.take)
			c.Away.Unlock()
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

func (c *Clerk) take(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
	for _, d := range all {
		if _, err := c.steps.Step(ctx, ticket.StepRequest{Number: d.Number, Command: d.Command.Seq}); err != nil {
			return nil, err
		}
	}
	return all, nil
}
