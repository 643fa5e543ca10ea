package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Webhooks implements the activity that calls webhooks.
type Webhooks struct{ outbox ticketOutbox }

// NewWebhooks returns the activity.
func NewWebhooks(o ticketOutbox) *Webhooks { return &Webhooks{outbox: o} }

// Call makes one webhook call. Errors are retried unless the ticket or the call does not exist. A rejection for good by
// the endpoint is a result and not an error.
func (w *Webhooks) Call(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	failed, err := w.outbox.Deliver(ctx, outbox.Key{Queue: outbox.Webhooks, Ticket: r.Number, N: int64(r.N)})
	return ticket.DeliveryResult{Bounced: failed}, temporalError(ctx, err)
}
