package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// webhookCaller makes one call of a webhook and records its outcome. It leaves a call alone that is settled.
type webhookCaller interface {
	Deliver(ctx context.Context, number ticket.Number, n int) (failed bool, err error)
}

// Webhooks calls webhooks.
type Webhooks struct{ caller webhookCaller }

// NewWebhooks returns the activity.
func NewWebhooks(m webhookCaller) *Webhooks { return &Webhooks{caller: m} }

// Call makes one call. Errors are retried unless the ticket or the call does not exist; an endpoint that refuses for good
// is a result and no error.
func (c *Webhooks) Call(ctx context.Context, r ticket.MailRequest) (ticket.MailResult, error) {
	failed, err := c.caller.Deliver(ctx, r.Number, r.N)
	return ticket.MailResult{Bounced: failed}, temporalError(ctx, err)
}
