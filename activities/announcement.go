package activities

import (
	"context"
	"sync"
	"time"

	"go.temporal.io/sdk/activity"
	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementStore records announcements and their mails. It is idempotent.
type announcementStore interface {
	Announce(context.Context, ticket.AnnounceRequest) (ticket.AnnounceResult, error)
	// AnnouncementsLeft returns the number of pending mails, and when the first of them may be sent.
	AnnouncementsLeft(ctx context.Context) (ticket.SendAnnouncementsResult, error)
}

// announcementOutbox sends the pending deliveries of a queue.
type announcementOutbox interface {
	// DeliverNext sends one delivery. Found is false if none may be sent now. After an error no other can be sent either.
	DeliverNext(ctx context.Context, q outbox.Queue) (found bool, status desk.DeliveryStatus, err error)
}

const (
	parallelAnnouncements = 4           // mails sent at once
	batchTime             = time.Minute // after which an activity returns, so that the workflow shows its progress
)

// Announcements implements the activities that announce emergencies.
type Announcements struct {
	store          announcementStore
	outbox         announcementOutbox
	limit          *rate.Limiter
	heartbeatEvery time.Duration
}

// NewAnnouncements returns the activities. They send at most perSecond mails a second in this process, and record a
// heartbeat at the given interval.
func NewAnnouncements(s announcementStore, o announcementOutbox, perSecond float64, heartbeatEvery time.Duration) *Announcements {
	return &Announcements{store: s, outbox: o, limit: rate.NewLimiter(rate.Limit(perSecond), 1), heartbeatEvery: heartbeatEvery}
}

// Prepare records announcements and their recipients.
func (a *Announcements) Prepare(ctx context.Context, r ticket.AnnounceRequest) (ticket.AnnounceResult, error) {
	result, err := a.store.Announce(ctx, r)
	return result, temporalError(ctx, err)
}

// Send sends pending mails for a minute at most, and returns how many are left. It returns an error if the SMTP server is
// unavailable. A retry does not repeat mails that were sent.
func (a *Announcements) Send(ctx context.Context, r ticket.SendAnnouncementsRequest) (ticket.SendAnnouncementsResult, error) {
	defer heartbeat(ctx, a.heartbeatEvery)()
	b := &batch{left: r.Most, until: time.Now().Add(batchTime), stopping: activity.GetWorkerStopChannel(ctx)}
	var group sync.WaitGroup
	for range parallelAnnouncements {
		group.Go(func() { a.sendLoop(ctx, b) })
	}
	group.Wait()
	if b.failed != nil {
		return ticket.SendAnnouncementsResult{}, temporalError(ctx, b.failed)
	}
	result, err := a.store.AnnouncementsLeft(ctx)
	result.Sent, result.Bounced = b.sent, b.bounced
	return result, temporalError(ctx, err)
}

// sendLoop sends mails one after the other until the batch ends.
func (a *Announcements) sendLoop(ctx context.Context, b *batch) {
	for b.next() {
		if err := a.limit.Wait(ctx); err != nil {
			b.end(ctx.Err())
			return
		}
		found, became, err := a.outbox.DeliverNext(ctx, outbox.AnnouncementMails)
		b.count(became)
		if err != nil || !found {
			b.end(err)
			return
		}
	}
}

// batch limits and counts the mails that several goroutines send.
type batch struct {
	mu            sync.Mutex
	left          int
	until         time.Time
	stopping      <-chan struct{} // closed when the worker stops
	ended         bool
	sent, bounced int
	failed        error // the first failure
}

// next reports whether another mail may be sent, and counts it.
func (b *batch) next() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.stopping:
		b.ended = true
	default:
	}
	if b.ended || b.left <= 0 || time.Now().After(b.until) {
		return false
	}
	b.left--
	return true
}

func (b *batch) count(became desk.DeliveryStatus) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch became {
	case desk.DeliverySent:
		b.sent++
	case desk.DeliveryBounced:
		b.bounced++
	}
}

// end stops all goroutines after their current mail.
func (b *batch) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ended = true
	if b.failed == nil {
		b.failed = err
	}
}
