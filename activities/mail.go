package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ticketOutbox sends one delivery of a ticket, a mail or a call of a webhook, and records what became of it. One that is
// settled already is left alone.
type ticketOutbox interface {
	Deliver(ctx context.Context, number ticket.Number, n int) (lost bool, err error)
}

// Mails sends mails.
type Mails struct {
	outbox ticketOutbox
	beat   time.Duration
}

// NewMails makes the activity. While a mail is on its way, a heartbeat every beat tells Temporal so.
func NewMails(o ticketOutbox, beat time.Duration) *Mails { return &Mails{outbox: o, beat: beat} }

// Mail sends one mail. Failures are retried, but for a ticket or a mail that nobody knows; an address that refuses
// mail for good is a result and no failure.
func (m *Mails) Mail(ctx context.Context, r ticket.MailRequest) (ticket.MailResult, error) {
	beatCtx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		keepBeating(beatCtx, m.beat)
	}()
	bounced, err := m.outbox.Deliver(ctx, r.Number, r.N)
	stop()
	<-beating
	return ticket.MailResult{Bounced: bounced}, temporalError(ctx, err)
}

func keepBeating(ctx context.Context, beat time.Duration) {
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
