package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Webhooks calls webhooks.
type Webhooks struct{ outbox ticketOutbox }

// NewWebhooks returns the activity.
func NewWebhooks(o ticketOutbox) *Webhooks { return &Webhooks{outbox: o} }

// Call makes one call. Errors are retried unless the ticket or the call does not exist; an endpoint that refuses for good
// is a result and no error.
func (c *Webhooks) Call(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	failed, err := c.outbox.Deliver(ctx, outbox.Key{Queue: outbox.Webhooks, Ticket: r.Number, N: int64(r.N)})
	return ticket.DeliveryResult{Bounced: failed}, temporalError(ctx, err)
}
