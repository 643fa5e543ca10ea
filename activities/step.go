// Package activities implements the activities of the workflows. Each struct takes what it needs as a small interface and
// translates errors into those that Temporal retries and those that it does not. It knows neither SQL nor SMTP.
package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepper is the only writer of a ticket's state. It is idempotent.
type stepper interface {
	Step(context.Context, ticket.StepRequest) (ticket.StepResult, error)
}

// Steps takes the steps of tickets.
type Steps struct{ stepper stepper }

// NewSteps returns the step's activity.
func NewSteps(s stepper) *Steps { return &Steps{stepper: s} }

// Step takes one step. Only an unknown ticket is a permanent error; everything else is retried.
func (s *Steps) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	result, err := s.stepper.Step(ctx, r)
	return result, temporalError(ctx, err)
}
