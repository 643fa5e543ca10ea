package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Calls calls webhooks.
type Calls struct{ outbox ticketOutbox }

// NewCalls makes the activity.
func NewCalls(o ticketOutbox) *Calls { return &Calls{outbox: o} }

// Call makes one call. Failures are retried, but for a ticket or a call that nobody knows; an endpoint that refuses for
// good is a result and no failure.
func (c *Calls) Call(ctx context.Context, r ticket.MailRequest) (ticket.MailResult, error) {
	failed, err := c.outbox.Deliver(ctx, r.Number, r.N)
	return ticket.MailResult{Bounced: failed}, temporalError(ctx, err)
}
