package activities

import (
	"context"
	"sync"
	"sync/atomic"
	"time"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// immediateTime is how long a workflow task waits for a mail server. The try goes on after it.
	immediateTime = 500 * time.Millisecond
	// slowPause is how long no mail is sent immediately after one that took longer or failed.
	slowPause = 10 * time.Second
	// limitedPause is the same after one for which the rate of mails had no room.
	limitedPause = 200 * time.Millisecond
)

// ImmediateMails implements the local activity that sends a mail within the workflow task of the step that caused it. That
// costs the ticket's history one event instead of six, and Temporal a quarter of the work. While the mail server is slow or
// away, or the rate of mails is reached, mails are left to the regular activity of Mails.
type ImmediateMails struct {
	outbox  ticketOutbox
	rate    func(context.Context) (ok bool, err error)
	slots   chan struct{} // holds a token for each try
	paused  atomic.Int64  // until this instant, in Unix nanoseconds
	running sync.WaitGroup
	life    context.Context //nolint:containedctx // tries outlive the calls that started them
	end     context.CancelFunc
}

// NewImmediateMails returns the activity. It makes at most so many tries at once. rate reports whether the rate of mails, of all
// workers together, has room for one more, which it then counts.
func NewImmediateMails(o ticketOutbox, most int, rate func(context.Context) (ok bool, err error)) *ImmediateMails {
	m := &ImmediateMails{outbox: o, rate: rate, slots: make(chan struct{}, most)}
	m.life, m.end = context.WithCancel(context.Background())
	return m
}

// Ready reports whether it makes sense to try.
func (m *ImmediateMails) Ready() bool { return m != nil && time.Now().UnixNano() >= m.paused.Load() }

func (m *ImmediateMails) pause(d time.Duration) { m.paused.Store(time.Now().Add(d).UnixNano()) }

// Mail sends one mail. The result is Pending if that takes longer or fails, or if it was not tried: then the regular activity
// is to send it, which finds the mail claimed while a try goes on. Its error is always nil.
func (m *ImmediateMails) Mail(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	pending := ticket.DeliveryResult{Pending: true}
	select {
	case m.slots <- struct{}{}:
	default:
		return pending, nil
	}
	if ok, err := m.rate(ctx); !ok || err != nil {
		<-m.slots
		m.pause(limitedPause)
		return pending, nil // the regular activity reports what is wrong
	}
	settled := make(chan ticket.DeliveryResult, 1)
	m.running.Go(func() { // it is not abandoned, since the server may have accepted the mail
		defer func() { <-m.slots }()
		bounced, err := m.outbox.Deliver(m.life, outbox.Key{Queue: outbox.TicketMails, Ticket: r.Number, N: int64(r.N)})
		settled <- ticket.DeliveryResult{Bounced: bounced, Pending: err != nil}
	})
	timer := time.NewTimer(immediateTime)
	defer timer.Stop()
	select {
	case result := <-settled:
		if result.Pending {
			m.pause(slowPause)
		}
		return result, nil
	case <-timer.C:
		m.pause(slowPause)
	case <-ctx.Done():
	}
	return pending, nil
}

// Close waits for tries under way, at most for a time, after which they are cancelled and record what they know.
func (m *ImmediateMails) Close(wait time.Duration) {
	stop := time.AfterFunc(wait, m.end)
	defer stop.Stop()
	m.running.Wait()
	m.end()
}

// Counting returns an outbox whose deliveries count for the rate, but do not wait for it.
func (m *ImmediateMails) Counting(o ticketOutbox) ticketOutbox { return counting{o, m.rate} }

type counting struct {
	ticketOutbox
	rate func(context.Context) (bool, error)
}

func (c counting) Deliver(ctx context.Context, k outbox.Key) (failed bool, err error) {
	_, _ = c.rate(ctx) // the rate of this delivery is limited by its task queue
	return c.ticketOutbox.Deliver(ctx, k)
}
