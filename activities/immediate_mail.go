package activities

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/activity"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// immediateTime is how long a workflow task waits for a mail, of which the try goes on after it.
	immediateTime = 500 * time.Millisecond
	// slowPause is how long no mail is sent immediately after one that took longer, or whose server is away.
	slowPause = 10 * time.Second
	// limitedPause is the same after one for which the rate of mails had no room.
	limitedPause = 200 * time.Millisecond
	// endTime is how long Close waits for tries to record what they know once they are cancelled.
	endTime = 2 * time.Second
)

// MailRate is the rate of mails of all workers together. It reports whether there is room for one more mail, which it then
// counts. With always it counts the mail in any case.
type MailRate func(ctx context.Context, always bool) (ok bool, err error)

// ImmediateMails sends mails within the workflow task of the step that caused them: by the activity of the step itself, which
// costs the ticket's history no event instead of six, or by a local activity, which costs one. While the mail server is slow or
// away, or the rate of mails is reached, mails are left to the regular activity of Mails.
type ImmediateMails struct {
	outbox  ticketOutbox
	rate    MailRate
	slots   chan struct{} // holds a token for each try
	paused  atomic.Int64  // until this instant, in Unix nanoseconds
	running sync.WaitGroup
	closed  context.Context //nolint:containedctx // ends tries, which outlive the calls that started them
	end     context.CancelFunc
}

// NewImmediateMails returns the activity. It makes at most so many tries at once.
func NewImmediateMails(o ticketOutbox, most int, rate MailRate) *ImmediateMails {
	m := &ImmediateMails{outbox: o, rate: rate, slots: make(chan struct{}, most)}
	m.closed, m.end = context.WithCancel(context.Background())
	return m
}

// Ready reports whether it makes sense to try.
func (m *ImmediateMails) Ready() bool { return m != nil && time.Now().UnixNano() >= m.paused.Load() }

// pause ends tries for a time, or for longer if they are paused for longer.
func (m *ImmediateMails) pause(d time.Duration) {
	until := time.Now().Add(d).UnixNano()
	for was := m.paused.Load(); was < until && !m.paused.CompareAndSwap(was, until); was = m.paused.Load() {
	}
}

// Mail sends one mail. The result is Pending if that takes longer than immediateTime or fails, or if it was not tried: then the
// regular activity is to send it, which finds the mail claimed while a try goes on. Its error is always nil.
func (m *ImmediateMails) Mail(ctx context.Context, r ticket.DeliveryRequest) (ticket.DeliveryResult, error) {
	pending := ticket.DeliveryResult{Pending: true}
	select {
	case m.slots <- struct{}{}:
	default:
		return pending, nil
	}
	settled := make(chan ticket.DeliveryResult, 1)
	m.running.Go(func() {
		defer func() { <-m.slots }()
		settled <- m.try(ctx, r)
	})
	timer := time.NewTimer(immediateTime)
	defer timer.Stop()
	select {
	case result := <-settled:
		return result, nil
	case <-timer.C:
		m.pause(slowPause)
	case <-ctx.Done():
	}
	return pending, nil
}

// try sends a mail if the rate has room for it. It is not abandoned when ctx ends, since the server may have accepted the mail.
func (m *ImmediateMails) try(ctx context.Context, r ticket.DeliveryRequest) (result ticket.DeliveryResult) {
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(m.closed, cancel)() //nolint:contextcheck // it ends tries, and is no parent of theirs
	defer func() {                              // in a regular activity the SDK does this
		if cause := recover(); cause != nil {
			if activity.IsActivity(ctx) {
				activity.GetLogger(ctx).Error("sending an email panicked", "cause", fmt.Sprint(cause), "stack", string(debug.Stack()))
			}
			result = ticket.DeliveryResult{Pending: true}
		}
	}()
	if ok, err := m.rate(ctx, false); !ok || err != nil {
		m.pause(limitedPause)
		return ticket.DeliveryResult{Pending: true} // the regular activity waits for its turn, and reports what is wrong
	}
	bounced, err := m.outbox.Deliver(ctx, outbox.Key{Queue: outbox.TicketMails, Ticket: r.Number, N: int64(r.N)})
	if fault.KindOf(err) == fault.Unavailable && !errors.Is(err, outbox.ErrClaimed) {
		m.pause(slowPause)
	}
	return ticket.DeliveryResult{Bounced: bounced, Pending: err != nil}
}

// Close waits for tries under way, at most for a time. Then it cancels them, and waits a little for them to record what they
// know: a server that accepts a mail slowly does not hold up the end of the process.
func (m *ImmediateMails) Close(wait time.Duration) {
	defer m.end()
	done := make(chan struct{})
	go func() {
		m.running.Wait()
		close(done)
	}()
	for _, limit := range []time.Duration{wait, endTime} {
		select {
		case <-done:
			return
		case <-time.After(limit):
			m.end()
		}
	}
}

// Counting returns an outbox whose deliveries count for the rate, but do not wait for it: their task queue limits them.
// Without immediate mails, that limit is all.
func (m *ImmediateMails) Counting(o ticketOutbox) ticketOutbox {
	if m == nil {
		return o
	}
	return counting{o, m.rate}
}

type counting struct {
	ticketOutbox
	rate MailRate
}

func (c counting) Deliver(ctx context.Context, k outbox.Key) (failed bool, err error) {
	_, _ = c.rate(ctx, true)
	return c.ticketOutbox.Deliver(ctx, k)
}
