package activities

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// messenger makes one call of a webhook and records what became of it. A call that is settled already is left alone.
type webhookCaller interface {
	Deliver(ctx context.Context, number ticket.Number, n int) (failed bool, err error)
}

// Calls calls webhooks.
type Webhooks struct{ caller webhookCaller }

// NewCalls makes the activity.
func NewWebhooks(m webhookCaller) *Webhooks { return &Webhooks{caller: m} }

// Call makes one call. Failures are retried, but for a ticket or a call that nobody knows; an endpoint that refuses for
// good is a result and no failure.
func (c *Webhooks) Call(ctx context.Context, r ticket.MailRequest) (ticket.MailResult, error) {
	failed, err := c.caller.Deliver(ctx, r.Number, r.N)
	return ticket.MailResult{Bounced: failed}, temporalError(ctx, err)
}
