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

// announcementStore records announcements and the mails they owe. It is idempotent.
type announcementStore interface {
	Announce(context.Context, ticket.AnnounceRequest) (ticket.AnnounceResult, error)
	// AnnouncementsLeft counts the mails that are owed, and returns when the first of them may be sent.
	AnnouncementsLeft(ctx context.Context) (ticket.SendAnnouncementsResult, error)
}

// announcementOutbox sends what a queue owes.
type announcementOutbox interface {
	// DeliverNext sends one; found is false when none may be sent now. After an error no other can be sent either.
	DeliverNext(ctx context.Context, q outbox.Queue) (found bool, status desk.DeliveryStatus, err error)
}

const (
	parallelAnnouncements = 4           // mails of announcements at once: a slow recipient holds up a quarter of them
	batchTime             = time.Minute // after which an activity says how far it is
)

// Announcements implements the activities that announce emergencies.
type Announcements struct {
	store  announcementStore
	outbox announcementOutbox
	limit  *rate.Limiter
	beat   time.Duration
}

// NewAnnouncements returns the activities. They send at most perSecond mails a second in this process, and record a
// heartbeat every beat.
func NewAnnouncements(s announcementStore, o announcementOutbox, perSecond float64, beat time.Duration) *Announcements {
	return &Announcements{store: s, outbox: o, limit: rate.NewLimiter(rate.Limit(perSecond), 1), beat: beat}
}

// Prepare records what is to be announced, and to whom.
func (a *Announcements) Prepare(ctx context.Context, r ticket.AnnounceRequest) (ticket.AnnounceResult, error) {
	result, err := a.store.Announce(ctx, r)
	return result, temporalError(ctx, err)
}

// Send sends some of the mails that are owed, for a minute at most, and returns how many are left. An error is returned
// when the SMTP server is unavailable; mails that were sent are not sent again.
func (a *Announcements) Send(ctx context.Context, r ticket.SendAnnouncementsRequest) (ticket.SendAnnouncementsResult, error) {
	beatCtx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		heartbeat(beatCtx, a.beat)
	}()
	defer func() { stop(); <-beating }()
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

// sendLoop sends one mail after the other.
func (a *Announcements) sendLoop(ctx context.Context, b *batch) {
	for b.take() {
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

// batch is what several goroutines send together.
type batch struct {
	mu            sync.Mutex
	left          int
	until         time.Time
	stopping      <-chan struct{} // the worker is to end
	over          bool
	sent, bounced int
	failed        error // the first failure
}

// take reports whether there is another mail to be sent.
func (b *batch) take() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	select {
	case <-b.stopping:
		b.over = true
	default:
	}
	if b.over || b.left <= 0 || time.Now().After(b.until) {
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

// end makes all goroutines stop after their current mail.
func (b *batch) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.failed == nil {
		b.failed = err
	}
}
