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

// announcer writes announcements down and owes their mails; asked twice, it changes nothing.
type announcer interface {
	Announce(context.Context, ticket.AnnounceRequest) (ticket.AnnounceResult, error)
	// AnnouncementsLeft counts the mails that are owed, and returns when the first of them may be sent.
	AnnouncementsLeft(ctx context.Context) (ticket.AnnouncementsResult, error)
}

// deliverer sends what a queue owes.
type deliverer interface {
	// DeliverNext sends one; found is false when none may be sent now. After an error no other can be sent either.
	DeliverNext(ctx context.Context, q outbox.Queue) (found bool, status desk.DeliveryStatus, err error)
}

const (
	lanes   = 4           // mails of announcements at once: a slow recipient holds up a quarter of them
	stretch = time.Minute // after which an activity says how far it is
)

// Announcements announces emergencies.
type Announcements struct {
	announcer announcer
	deliverer deliverer
	limit     *rate.Limiter
	beat      time.Duration
}

// NewAnnouncements makes the activities. Mails go out at perSecond at most, in this process; a heartbeat every beat tells
// Temporal that they do.
func NewAnnouncements(a announcer, d deliverer, perSecond float64, beat time.Duration) *Announcements {
	return &Announcements{announcer: a, deliverer: d, limit: rate.NewLimiter(rate.Limit(perSecond), 1), beat: beat}
}

// Announce writes down whom to tell what.
func (a *Announcements) Announce(ctx context.Context, r ticket.AnnounceRequest) (ticket.AnnounceResult, error) {
	result, err := a.announcer.Announce(ctx, r)
	return result, temporalError(ctx, err)
}

// Send sends some of the mails that are owed, for a minute at most, and tells how many are left. It fails when nobody
// takes them: Temporal tries again, and whatever was sent is not sent again.
func (a *Announcements) Send(ctx context.Context, r ticket.AnnouncementsRequest) (ticket.AnnouncementsResult, error) {
	beatCtx, stop := context.WithCancel(ctx)
	beating := make(chan struct{})
	go func() {
		defer close(beating)
		keepBeating(beatCtx, a.beat)
	}()
	defer func() { stop(); <-beating }()
	b := &batch{left: r.Most, until: time.Now().Add(stretch), stopping: activity.GetWorkerStopChannel(ctx)}
	var group sync.WaitGroup
	for range lanes {
		group.Go(func() { a.sendSome(ctx, b) })
	}
	group.Wait()
	if b.failed != nil {
		return ticket.AnnouncementsResult{}, temporalError(ctx, b.failed)
	}
	result, err := a.announcer.AnnouncementsLeft(ctx)
	result.Sent, result.Bounced = b.sent, b.bounced
	return result, temporalError(ctx, err)
}

// sendSome sends one mail after the other.
func (a *Announcements) sendSome(ctx context.Context, b *batch) {
	for b.take() {
		if err := a.limit.Wait(ctx); err != nil {
			b.end(ctx.Err())
			return
		}
		found, became, err := a.deliverer.DeliverNext(ctx, outbox.AnnouncementMails)
		b.count(became)
		if err != nil || !found {
			b.end(err)
			return
		}
	}
}

// batch is what several hands have sent together.
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

// end has all hands stop after the mail that they are at.
func (b *batch) end(err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.over = true
	if b.failed == nil {
		b.failed = err
	}
}
