package app

import (
	"context"
	"errors"
	"slices"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxCommands is how many commands a step decides, which bounds its transaction. The result says whether more are pending.
const MaxCommands = 100

// Steps takes steps of tickets. Nothing else writes the state of a ticket.
type Steps struct {
	store StepStore
	most  int64
}

// NewSteps returns Steps over a store. Each step decides at most mostCommands commands.
func NewSteps(store StepStore, mostCommands int64) *Steps {
	return &Steps{store: store, most: mostCommands}
}

// Step takes one step of a ticket in one transaction. It is idempotent: asked again it changes nothing and returns the
// ticket as it then is. Commands are decided in order, together with undecided ones before them; a due event fires only
// when the store's clock has reached it and no command accepted before it is undecided. A command that cannot be
// recorded is refused, and what is due and cannot be recorded is parked. Step returns a NotFound fault for a ticket that
// does not exist, an Invalid one for a request without meaning, and an Unavailable one for a failure worth repeating.
func (s *Steps) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	if err := checkStep(r); err != nil {
		return ticket.StepResult{}, err
	}
	result, err := s.try(ctx, r, wholeStep(s.most))
	if s.unrecordable(err) {
		result, err = s.isolate(ctx, r)
	}
	if err != nil {
		return ticket.StepResult{}, err
	}
	return result, nil
}

func checkStep(r ticket.StepRequest) error {
	asked := 0
	for _, set := range []bool{r.Command != 0, !r.Due.IsZero(), r.Bounced != 0, r.Delivered != 0, len(r.Manual) > 0, r.CatchUp} {
		if set {
			asked++
		}
	}
	if asked != 1 || r.Command < 0 || r.Bounced < 0 || r.Delivered < 0 || len(r.Manual) > ticket.MaxManual {
		return fault.New(fault.Invalid, "a step request must name exactly one of a command, a due time, a delivery, manual commands and the emergency schedule")
	}
	for _, c := range r.Manual {
		if c.Key == "" || !slices.Contains(ticket.Signals(), c.Verb) {
			return fault.New(fault.Invalid, "a manual command must have a key and a known verb")
		}
	}
	return nil
}

func (s *Steps) try(ctx context.Context, r ticket.StepRequest, sc scope) (result ticket.StepResult, err error) {
	err = s.store.StepTx(ctx, r.Number, func(l LockedTicket, tx StepTx) error {
		st := newStep(l, tx, sc, s.unrecordable)
		result, err = st.run(ctx, r)
		return err
	})
	return result, err
}

func (s *Steps) unrecordable(err error) bool {
	_, is := s.unrecordableReason(err)
	return is
}

func (s *Steps) unrecordableReason(err error) (string, bool) {
	switch {
	case err == nil:
		return "", false
	case errors.Is(err, ticket.ErrUncomputable):
		return ticket.ErrUncomputable.Error(), true
	default:
		return s.store.Unrecordable(err)
	}
}
