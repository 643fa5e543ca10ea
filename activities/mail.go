package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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

// Mail sends one mail. Errors are retried unless the ticket or the mail does not exist. A rejection for good is a result
// and not an error.
func (m *Mails) Mail(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	beatCtx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		heartbeat(beatCtx, m.heartbeatEvery)
	}()
	bounced, err := m.outbox.Deliver(ctx, outbox.Key{Queue: outbox.TicketMails, Ticket: r.Number, N: int64(r.N)})
	stop()
	<-beating
	return ticket.DeliveryResult{Bounced: bounced}, temporalError(ctx, err)
}

// heartbeat records a heartbeat at each interval until ctx ends.
func heartbeat(ctx context.Context, interval time.Duration) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
			activity.RecordHeartbeat(ctx)
		}
	}
}
