package sitetest

import (
	"context"
	"sync"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Stepper takes steps in place of the workflows: one for every accepted command, by the production code.
type Stepper struct {
	desktest.NoRelay            // it finds all commands itself
	Paused           sync.Mutex // locked by a test to pause the Stepper

	store *store.Store
	steps *app.Steps
	wake  chan struct{}
}

// Wake never blocks: one pending wake-up is enough.
func (s *Stepper) Wake() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

func (s *Stepper) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		}
		// Repeat until none is left: a submission excludes later commands of its ticket from the same round.
		for left := 1; left > 0; {
			var err error
			s.Paused.Lock()
			left, err = s.store.Undelivered(ctx, 100, 100, s.step)
			s.Paused.Unlock()
			if err != nil && ctx.Err() == nil {
				return err
			}
		}
	}
}

func (s *Stepper) step(ctx context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
	for _, d := range all {
		if _, err := s.steps.Step(ctx, ticket.StepRequest{Number: d.Number, Command: d.Command.Seq}); err != nil {
			return nil, err
		}
	}
	return all, nil
}
