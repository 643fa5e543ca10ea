package mail

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementOutbox is where announcements' mails come from, and what became of them goes.
type announcementOutbox interface {
	announcementLetters
	// NextAnnouncement takes the mail that has waited the longest for one try; found is false when none may be sent now.
	NextAnnouncement(ctx context.Context, try string, lasts time.Duration) (id int64, found bool, err error)
	HoldAnnouncement(ctx context.Context, id int64, try string, lasts time.Duration) error
	ReleaseAnnouncement(ctx context.Context, id int64, try string) error
	AnnouncementSent(ctx context.Context, id int64) error
	AnnouncementBounced(ctx context.Context, id int64, reason string) error
	// AnnouncementObsolete gives up a mail that says nothing to its recipient any more.
	AnnouncementObsolete(ctx context.Context, id int64) error
	// AnnouncementDeferred notes that a server put the mail off, and gives when one first did. It is left alone for a
	// growing while.
	AnnouncementDeferred(ctx context.Context, id int64) (since time.Time, err error)
	// PutAnnouncementOff lets others go first for a while.
	PutAnnouncementOff(ctx context.Context, id int64, pause time.Duration) error
}

type announcementLetters interface {
	// Announcement loads a mail, and says what became of it already. Only one that is owed is loaded.
	Announcement(ctx context.Context, id int64) (desk.Announcement, desk.Postage, error)
	// AnnouncementsLeft counts those that are owed, and gives when the first may be sent.
	AnnouncementsLeft(ctx context.Context) (ticket.AnnouncementsResult, error)
}

type announcementSender interface {
	SendAnnouncement(ctx context.Context, a desk.Announcement) error
}

const (
	asidePause = 15 * time.Second // for a mail during which the server went away: the next try takes another
	brokenRest = 10 * time.Minute // for one that could not be made: a defect, which a new version may mend
)

// Herald delivers announcements' mails and records the outcome, as a Postman does. Safe for concurrent use, also by
// several processes.
type Herald struct {
	outbox announcementOutbox
	sender announcementSender
	log    *slog.Logger
}

// NewHerald makes a herald; the sender is a *Sender outside of tests.
func NewHerald(outbox announcementOutbox, sender announcementSender, log *slog.Logger) *Herald {
	return &Herald{outbox: outbox, sender: sender, log: log}
}

// Left counts the mails that are owed, and gives when the first of them may be sent.
func (h *Herald) Left(ctx context.Context) (ticket.AnnouncementsResult, error) {
	return h.outbox.AnnouncementsLeft(ctx)
}

// DeliverNext sends the mail that has waited the longest and records what became of it; found is false when none may
// be sent now. An error says that it is no use to go on with others: nobody answers. What is wrong with one mail alone
// puts that one off and is no error. A mail that was sent and not recorded goes out twice, so recording is tried until
// ctx ends, and once more then.
func (h *Herald) DeliverNext(ctx context.Context) (found bool, postage desk.Postage, err error) {
	try := rand.Text()
	id, found, err := h.outbox.NextAnnouncement(ctx, try, claimTime)
	if err != nil || !found {
		return false, "", err
	}
	end := holding(ctx, func(ctx context.Context) { _ = h.outbox.HoldAnnouncement(ctx, id, try, claimTime) })
	postage, err = h.deliver(ctx, id)
	end()
	if postage == desk.PostageOwed || err != nil {
		h.record(ctx, id, func(ctx context.Context) error { return h.outbox.ReleaseAnnouncement(ctx, id, try) })
	}
	return true, postage, err
}

func (h *Herald) deliver(ctx context.Context, id int64) (desk.Postage, error) {
	a, postage, err := h.outbox.Announcement(ctx, id)
	if err != nil || postage != desk.PostageOwed {
		return postage, err
	}
	switch {
	case a.Disabled:
		return h.bounce(ctx, id, "the recipient has been disabled")
	case len(a.Tickets) == 0:
		return desk.PostageSuperseded, insist(ctx, func(ctx context.Context) error { return h.outbox.AnnouncementObsolete(ctx, id) })
	}
	err = h.sender.SendAnnouncement(ctx, a)
	if err == nil {
		return desk.PostageSent, insist(ctx, func(ctx context.Context) error { return h.outbox.AnnouncementSent(ctx, id) })
	}
	if refused, ok := errors.AsType[*Undeliverable](err); ok {
		return h.bounce(ctx, id, refused.line())
	}
	if deferral, ok := errors.AsType[*Deferral](err); ok {
		return h.putOff(ctx, id, deferral)
	}
	pause := asidePause
	kind := fault.KindOf(err)
	if kind != fault.Unavailable && kind != fault.Limited && ctx.Err() == nil {
		h.log.Error("an announcement's mail can't be sent", "mail", id, "error", err)
		pause, err = brokenRest, nil
	}
	h.record(ctx, id, func(ctx context.Context) error { return h.outbox.PutAnnouncementOff(ctx, id, pause) })
	if err != nil {
		err = fmt.Errorf("send announcement's mail %d: %w", id, err)
	}
	return desk.PostageOwed, err
}

func (h *Herald) bounce(ctx context.Context, id int64, reason string) (desk.Postage, error) {
	return desk.PostageBounced, insist(ctx, func(ctx context.Context) error { return h.outbox.AnnouncementBounced(ctx, id, reason) })
}

// putOff gives a mail up that servers have put off for days.
func (h *Herald) putOff(ctx context.Context, id int64, deferral *Deferral) (desk.Postage, error) {
	since, err := h.outbox.AnnouncementDeferred(ctx, id)
	if err == nil && time.Since(since) >= patience {
		return h.bounce(ctx, id, "given up after 5 days: "+deferral.line())
	}
	return desk.PostageOwed, err
}

// record notes what may be lost: a claim runs out, and a mail that was not put off is tried again sooner.
func (h *Herald) record(ctx context.Context, id int64, note func(context.Context) error) {
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	if err := note(recording); err != nil {
		h.log.Warn("announcement's mail not recorded", "mail", id, "error", err)
	}
}
