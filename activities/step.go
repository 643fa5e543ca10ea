// Package activities implements the activities of the workflows. Each struct depends on small interfaces, and translates
// errors into application errors that Temporal retries or not. The package knows neither SQL nor SMTP.
package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepper takes the steps of tickets, and alone writes their state. It is idempotent.
type stepper interface {
	Step(context.Context, ticket.StepRequest) (ticket.StepResult, error)
}

// Steps implements the activity that takes the steps of tickets.
type Steps struct{ stepper stepper }

// NewSteps returns the activity.
func NewSteps(s stepper) *Steps { return &Steps{stepper: s} }

// Step takes one step. Only the error of an unknown ticket is permanent; all others are retried.
func (s *Steps) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	result, err := s.stepper.Step(ctx, r)
	return result, temporalError(ctx, err)
}
