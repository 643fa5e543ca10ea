package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ticketOutbox sends one delivery of a ticket, a mail or a webhook call, and records its outcome. It leaves a delivery
// alone that is settled.
type ticketOutbox interface {
	Deliver(ctx context.Context, k outbox.Key) (lost bool, err error)
}

// Mails sends mails.
type Mails struct {
	outbox ticketOutbox
	beat   time.Duration
}

// NewMails returns the activity. While a mail is being sent, it records a heartbeat every beat.
func NewMails(o ticketOutbox, beat time.Duration) *Mails { return &Mails{outbox: o, beat: beat} }

// Mail sends one mail. Errors are retried unless the ticket or the mail does not exist; an address that refuses mail for
// good is a result and no error.
func (m *Mails) Mail(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	beatCtx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		heartbeat(beatCtx, m.beat)
	}()
	bounced, err := m.outbox.Deliver(ctx, outbox.Key{Queue: outbox.TicketMails, Ticket: r.Number, N: int64(r.N)})
	stop()
	<-beating
	return ticket.DeliveryResult{Bounced: bounced}, temporalError(ctx, err)
}

func heartbeat(ctx context.Context, beat time.Duration) {
	ticker := time.NewTicker(beat)
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
