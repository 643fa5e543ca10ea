package activities

import (
	"context"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// postman loads, renders, sends and records one mail. A mail that is settled already is left alone.
type mailSender interface {
	Deliver(ctx context.Context, number ticket.Number, n int) (bounced bool, err error)
}

// Mails sends mails.
type Mails struct {
	sender mailSender
	beat   time.Duration
}

// NewMails makes the activity. While a mail is on its way, a heartbeat every beat tells Temporal so.
func NewMails(p mailSender, beat time.Duration) *Mails { return &Mails{sender: p, beat: beat} }

// Mail sends one mail. Failures are retried, but for a ticket or a mail that nobody knows; an address that refuses
// mail for good is a result and no failure.
func (m *Mails) Mail(ctx context.Context, r ticket.MailRequest) (ticket.MailResult, error) {
	beatCtx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		heartbeat(beatCtx, m.beat)
	}()
	bounced, err := m.sender.Deliver(ctx, r.Number, r.N)
	stop()
	<-beating
	return ticket.MailResult{Bounced: bounced}, temporalError(ctx, err)
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
