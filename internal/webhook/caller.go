package webhook

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outbox is where calls come from and what became of them goes.
type outbox interface {
	Call(ctx context.Context, number ticket.Number, n int) (desk.Called, error)
	CallMade(ctx context.Context, number ticket.Number, n int) error
	CallFailed(ctx context.Context, number ticket.Number, n int, reason string) error
	// CallPutOff notes a try that failed, and gives when the first one did.
	CallPutOff(ctx context.Context, number ticket.Number, n int, reason string) (since time.Time, err error)
}

// Endpoint is where a webhook leads and what its calls are signed with.
type Endpoint struct {
	URL    string
	Secret string
}

// patience is how long an endpoint may fail before a call counts as failed for good. While no worker runs, no try fails,
// and the call stays owed however long that is.
const patience = 3 * 24 * time.Hour

// recordTime is for noting what became of a call, also when the worker is being stopped.
const recordTime = 5 * time.Second

// Caller makes the calls of an outbox. Safe for concurrent use, also by several processes: an endpoint may then be called
// twice about one event, and knows that from the event's ID.
type Caller struct {
	outbox    outbox
	endpoints map[string]Endpoint
	site      string // the website's address, without a slash at its end
	client    *http.Client
	log       *slog.Logger
	now       func() time.Time
}

// NewCaller makes a caller. Endpoints are known by the names that policies use.
func NewCaller(o outbox, endpoints map[string]Endpoint, site string, log *slog.Logger) *Caller {
	return &Caller{outbox: o, endpoints: endpoints, site: site, client: client(tryTime), log: log, now: time.Now}
}

// Deliver makes the nth call of a ticket unless it is settled already, records what became of it, and reports whether it
// has failed for good. After an error it is still owed, and whoever asked asks again.
func (c *Caller) Deliver(ctx context.Context, number ticket.Number, n int) (failed bool, err error) {
	call, err := c.outbox.Call(ctx, number, n)
	if err != nil {
		return false, fmt.Errorf("load call %d of %s: %w", n, number, err)
	}
	if call.Status != desk.PostageOwed {
		return call.Status == desk.PostageFailed, nil
	}
	result := c.try(ctx, call.Call)
	if ctx.Err() != nil && !result.settled() {
		return false, ctx.Err() // cut short by us: the endpoint has failed at nothing
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	switch {
	case result.taken:
		return false, c.outbox.CallMade(recording, number, n)
	case result.final:
		return true, c.outbox.CallFailed(recording, number, n, result.reason)
	}
	since, err := c.outbox.CallPutOff(recording, number, n, result.reason)
	if err != nil {
		return false, fmt.Errorf("record try of call %d of %s: %w", n, number, err)
	}
	if c.now().Sub(since) >= patience {
		return true, c.outbox.CallFailed(recording, number, n, "given up after 3 days: "+result.reason)
	}
	return false, fault.New(fault.Unavailable, "webhook %s: %s", call.Webhook, result.reason)
}

// try makes one call.
func (c *Caller) try(ctx context.Context, call desk.Call) result {
	endpoint, known := c.endpoints[call.Webhook]
	if !known {
		c.log.Warn("a policy names a webhook that is not configured", "webhook", call.Webhook, "ticket", call.Number)
		return result{reason: "not configured"} // somebody may mend that
	}
	content, err := body(call, c.site)
	if err != nil {
		return result{final: true, reason: "its body can't be written"}
	}
	r := c.post(ctx, endpoint, eventID(call), content)
	if !r.taken {
		c.log.Warn("webhook failed", "webhook", call.Webhook, "ticket", call.Number, "call", call.N, "reason", r.reason, "final", r.final, "error", r.cause)
	}
	return r
}
