// Package activities is what workflows ask of the world: a step of a ticket, and a mail. Each struct takes what it
// needs as a small interface and translates failures into what Temporal retries and what it doesn't. It knows
// neither SQL nor SMTP.
package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepper is the only writer of a ticket's state: one transaction a step, the same answer when repeated.
type stepper interface {
	Step(context.Context, ticket.StepRequest) (ticket.StepResult, error)
}

// Steps takes the steps of tickets.
type Steps struct{ stepper stepper }

// NewSteps makes the activity on whatever keeps the tickets.
func NewSteps(s stepper) *Steps { return &Steps{stepper: s} }

// Step takes one step. Only an unknown ticket is a failure for good; everything else is worth another try.
func (s *Steps) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	result, err := s.stepper.Step(ctx, r)
	return result, temporalError(ctx, err)
}
