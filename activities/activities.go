// Package activities implements the activities of the workflows. Each struct depends on small interfaces, and translates
// errors into application errors that Temporal retries or not. The package knows neither SQL nor SMTP.
package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// stepper takes the steps of tickets, and alone writes their state. It is idempotent.
type stepper interface {
	Step(context.Context, ticket.StepRequest) (ticket.StepResult, error)
}

// Steps implements the activity that takes the steps of tickets.
type Steps struct {
	stepper   stepper
	immediate *ImmediateMails
}

// NewSteps returns the activity. With immediate, mails of a step may be sent within its workflow task. It is nil for histories
// that workers of earlier releases can continue.
func NewSteps(s stepper, immediate *ImmediateMails) *Steps {
	return &Steps{stepper: s, immediate: immediate}
}

// Step takes one step, and sends its mails if the workflow has no others. Only the error of an unknown ticket is permanent; all
// others are retried.
func (s *Steps) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	result, err := s.stepper.Step(ctx, r)
	if err == nil && r.SendMails && s.immediate.Ready() {
		result, err = s.sendMails(ctx, r, result)
	} else {
		result.SendNow = len(result.Owed) > 0 && s.immediate.Ready()
	}
	result.FewerEvents, result.Awaits = s.immediate != nil, s.immediate != nil
	return result, temporalError(ctx, err)
}

// SendMailNow tries to send one mail within the workflow task. The result is Pending if this worker sends none so.
func (s *Steps) SendMailNow(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	if s.immediate == nil {
		return ticket.DeliveryResult{Pending: true}, nil
	}
	return s.immediate.Mail(ctx, r)
}

// ticketOutbox makes a delivery of a ticket, a mail or a webhook call, and records its outcome. It does not repeat a
// settled delivery.
type ticketOutbox interface {
	Deliver(ctx context.Context, k outbox.Key) (failed bool, err error)
}

// Mails implements the activity that sends ticket mails.
type Mails struct {
	outbox         ticketOutbox
	heartbeatEvery time.Duration
}

// NewMails returns the activity. While it sends a mail, it records heartbeats at the given interval.
func NewMails(o ticketOutbox, heartbeatEvery time.Duration) *Mails {
	return &Mails{outbox: o, heartbeatEvery: heartbeatEvery}
}

// Mail sends one mail. Errors are retried unless the ticket or the mail does not exist. A permanent rejection is a result
// and not an error.
func (m *Mails) Mail(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	stop := heartbeat(ctx, m.heartbeatEvery)
	bounced, err := m.outbox.Deliver(ctx, outbox.Key{Queue: outbox.TicketMails, Ticket: r.Number, N: int64(r.N)})
	stop()
	return ticket.DeliveryResult{Bounced: bounced}, temporalError(ctx, err)
}

// Webhooks implements the activity that calls webhooks.
type Webhooks struct{ outbox ticketOutbox }

// NewWebhooks returns the activity.
func NewWebhooks(o ticketOutbox) *Webhooks { return &Webhooks{outbox: o} }

// Call makes one webhook call. Errors are retried unless the ticket or the call does not exist. A permanent rejection by
// the endpoint is a result and not an error.
func (w *Webhooks) Call(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	failed, err := w.outbox.Deliver(ctx, outbox.Key{Queue: outbox.Webhooks, Ticket: r.Number, N: int64(r.N)})
	return ticket.DeliveryResult{Bounced: failed}, temporalError(ctx, err)
}

// heartbeat records a heartbeat at each interval until stop is called, which waits for the last.
func heartbeat(ctx context.Context, interval time.Duration) (stop func()) {
	return loop.Every(ctx, interval, func(ctx context.Context) { activity.RecordHeartbeat(ctx) })
}

// temporalError returns an application error whose type is the kind of err. Only NotFound is not retried. The message is
// the one for users; the cause is only logged, because Temporal UI shows messages of failures to all its users.
func temporalError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled // unwrapped, because the wrapping may quote text of users
	}
	kind := fault.KindOf(err)
	message := kind.String()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Message != "" {
		message = f.Message
	}
	log := activity.GetLogger(ctx).Warn
	if kind == fault.Internal {
		log = activity.GetLogger(ctx).Error // a defect: it is retried, and must be noticed
	}
	log("activity failed", "kind", kind.String(), "error", err)
	if kind == fault.NotFound {
		return temporal.NewNonRetryableApplicationError(message, kind.String(), nil)
	}
	options := temporal.ApplicationErrorOptions{}
	if kind == fault.Limited {
		options.NextRetryDelay = loop.Doubled(time.Second, maxRetryDelay, int(activity.GetInfo(ctx).Attempt)-1)
	}
	return temporal.NewApplicationErrorWithOptions(message, kind.String(), options)
}

// maxRetryDelay limits the delay after an error that asks for a later attempt: a second at first, doubled with each
// attempt. The retry policy's own delays are short, so that work resumes soon after an outage.
const maxRetryDelay = 10 * time.Minute
