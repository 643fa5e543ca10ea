// Package webhook calls the webhooks that the escalation steps of a policy name. A call is a signed POST request which
// says that a target was breached and links to the ticket; it contains no text that a person wrote. A Caller is a
// transport of the outbox, which records calls and retries them. The package must not know SQL or Temporal.
package webhook

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// calls loads the content of a webhook call.
type calls interface {
	Call(ctx context.Context, number ticket.Number, n int) (desk.WebhookDelivery, error)
}

// Endpoint is the URL of a webhook and the secret with which its calls are signed.
type Endpoint struct {
	URL    string
	Secret string
}

// Caller calls webhooks for an outbox. It is safe for concurrent use, also by several processes. An endpoint may be
// called twice about one event; it can detect that by the event's ID.
type Caller struct {
	calls     calls
	endpoints map[string]Endpoint
	site      string // the website's address, without a slash at its end
	client    *http.Client
	log       *slog.Logger
	now       func() time.Time
}

// NewCaller returns a caller. The keys of endpoints are the names of webhooks in policies.
func NewCaller(c calls, endpoints map[string]Endpoint, site string, log *slog.Logger) *Caller {
	return &Caller{calls: c, endpoints: endpoints, site: site, client: client(tryTime), log: log, now: time.Now}
}

// Load is the transport of an outbox.
func (c *Caller) Load(ctx context.Context, k outbox.Key) (outbox.Delivery, error) {
	call, err := c.calls.Call(ctx, k.Ticket, int(k.N))
	return outbox.Delivery{Status: call.Status, Tries: call.Tries, Send: func(ctx context.Context) error {
		return c.send(ctx, call.WebhookCall)
	}}, err
}

func (c *Caller) send(ctx context.Context, call desk.WebhookCall) error {
	r := c.try(ctx, call)
	switch {
	case r.taken:
		return nil
	case r.final:
		return &Refused{r.reason}
	case ctx.Err() != nil:
		return ctx.Err() // interrupted by this process; the endpoint is not to blame
	}
	return fault.Wrap(&Deferred{r.reason}, fault.Unavailable, "webhook %s: %s", call.Webhook, r.reason)
}

// Refused is the permanent failure of a call.
type Refused struct{ reason string }

func (e *Refused) Error() string { return "webhook refused: " + e.reason }

// Refusal returns the reason. It contains no text of the endpoint's.
func (e *Refused) Refusal() string { return e.reason }

// Deferred is the temporary failure of a call.
type Deferred struct{ reason string }

func (e *Deferred) Error() string { return "webhook failed: " + e.reason }

// Deferral returns the reason. It contains no text of the endpoint's.
func (e *Deferred) Deferral() string { return e.reason }

// try makes a call once and logs a failure.
func (c *Caller) try(ctx context.Context, call desk.WebhookCall) result {
	endpoint, known := c.endpoints[call.Webhook]
	if !known {
		c.log.WarnContext(ctx, "a policy names a webhook that is not configured", "webhook", call.Webhook, "ticket", call.Number)
		return result{reason: "not configured"} // may be configured later
	}
	content, err := body(call, c.site)
	if err != nil {
		return result{final: true, reason: "its body can't be written"}
	}
	r := c.post(ctx, endpoint, eventID(call), content)
	if !r.taken {
		c.log.WarnContext(ctx, "webhook failed", "webhook", call.Webhook, "ticket", call.Number, "call", call.N, "reason", r.reason, "final", r.final, "error", r.cause)
	}
	return r
}
