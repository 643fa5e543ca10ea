package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scope bounds what one attempt at a step does. A narrow one isolates what cannot be recorded.
type scope struct {
	commands    int64 // decided at most; 0: manual commands are numbered, and nothing else is done
	refuseFirst bool  // the first of them is refused as unrecordable
	transitions bool  // they and deliveries are recorded too
}

// wholeStep does all that is due.
func wholeStep(mostCommands int64) scope { return scope{commands: mostCommands, transitions: true} }

// onlyCommands decides commands, and records neither transitions nor deliveries.
func onlyCommands(most int64) scope { return scope{commands: most} }

var (
	// numberOnly numbers manual commands and decides nothing.
	numberOnly = scope{}
	// refuseOne refuses the first undecided command as unrecordable.
	refuseOne = scope{commands: 1, refuseFirst: true}
)

// isolate takes a step that cannot be recorded as a whole. It decides fewer and fewer commands at once until it finds the
// one that cannot be recorded, and refuses that. If even the refusal cannot be recorded, the cause is an earlier due event
// or transition, which is parked to be retried and never dropped.
func (s *Steps) isolate(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	result, err := s.try(ctx, r, numberOnly)
	if err != nil {
		return result, err
	}
	commands := ticket.StepRequest{Number: r.Number, LastDelivery: r.LastDelivery, Command: result.LastCommand}
	if result.Digest.Command < result.LastCommand {
		result, err = s.decideSome(ctx, commands)
		switch {
		case s.unrecordable(err):
			return s.park(ctx, commands, err)
		case err != nil, result.Digest.Command < result.LastCommand:
			return result, err
		}
	}
	if r.Command > 0 || len(r.Manual) > 0 {
		return result, nil
	}
	result, err = s.try(ctx, r, wholeStep(s.most))
	if s.unrecordable(err) {
		return s.park(ctx, commands, err)
	}
	return result, err
}

// decideSome decides as many commands as can be recorded at once, or refuses the first.
func (s *Steps) decideSome(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	for most := s.most / 2; most > 0; most /= 2 {
		result, err := s.try(ctx, r, onlyCommands(most))
		if !s.unrecordable(err) {
			return result, err
		}
	}
	return s.try(ctx, r, refuseOne)
}

// The delays between attempts to record what is parked; see ParkRequest.
const (
	parkDelay    = time.Minute
	maxParkDelay = 10 * time.Minute
)

func (s *Steps) park(ctx context.Context, r ticket.StepRequest, cause error) (ticket.StepResult, error) {
	reason, _ := s.unrecordableReason(cause)
	err := s.store.Park(ctx, ParkRequest{Number: r.Number, Reason: reason, Delay: parkDelay, MaxDelay: maxParkDelay})
	if err != nil {
		return ticket.StepResult{}, err
	}
	return s.try(ctx, r, numberOnly)
}
