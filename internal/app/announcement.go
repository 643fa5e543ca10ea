package app

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// announcementStore holds the announcements of emergencies and their mails.
type announcementStore interface {
	// AnnounceTx runs fn in a transaction that excludes other announcements, and commits it if fn returns nil.
	AnnounceTx(ctx context.Context, fn func(AnnounceBase, AnnounceTx) error) error
	// AnnouncementsLeft returns the number of mails to be sent, and when the first of them may be.
	AnnouncementsLeft(context.Context) (ticket.SendAnnouncementsResult, error)
}

// AnnounceBase is what is announced so far.
type AnnounceBase struct {
	Now         time.Time            // of the store's clock
	Settle      time.Duration        // how long no mail is sent after a change of its emergency
	Emergencies []AnnouncedEmergency // those that may have something left to announce
}

// AnnouncedEmergency is an emergency and its last announcement.
type AnnouncedEmergency struct {
	desk.Emergency
	Announcements int                  // how many there were
	Announced     *desk.EmergencyTerms // in the last one; nil: there was none
}

// AnnounceTx is the transaction of Announce.
type AnnounceTx interface {
	// AffectedRequesters returns the customers with an affected ticket that was submitted before an instant, or at any time if it
	// is zero, and what each knows of an emergency; current are its terms.
	AffectedRequesters(ctx context.Context, id ticket.EmergencyID, current desk.EmergencyTerms, before time.Time) ([]desk.AffectedRequester, error)
	// AddAnnouncement stores an announcement and returns its ID. It supersedes unsent mails of earlier announcements.
	AddAnnouncement(ctx context.Context, e AnnouncedEmergency, news desk.News, r ticket.AnnounceRequest) (id int64, err error)
	// AddAnnouncementMails stores a held mail of an announcement to each of some people.
	AddAnnouncementMails(ctx context.Context, id int64, to []ticket.PersonID) error
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	// Release lets held mails be sent.
	Release(context.Context) error
	// ReleasePunctual releases the mails to those none of whose tickets has yet to apply the transition at an instant, after
	// which clocks are paused or not.
	ReleasePunctual(ctx context.Context, transition time.Time, paused bool) error
	// CountMails returns the numbers of mails that are to be sent and that are held.
	CountMails(context.Context) (left, held int, err error)
}

// Announcements decides what is announced of emergencies, and to whom.
type Announcements struct{ announcementStore }

// NewAnnouncements returns Announcements over a store.
func NewAnnouncements(s announcementStore) *Announcements { return &Announcements{s} }

// Announce stores the announcements that are due of each emergency, with a mail to each requester whom they reach. The mails
// are not sent until the emergency has been unchanged for the store's settling time. Announce is idempotent: nothing is
// announced twice. While the fan-out is incomplete, the mails of requesters whose tickets it has yet to reach are held; each
// later call releases those that need not be held any more.
func (a *Announcements) Announce(ctx context.Context, r ticket.AnnounceRequest) (result ticket.AnnounceResult, err error) {
	err = a.AnnounceTx(ctx, func(base AnnounceBase, tx AnnounceTx) (err error) {
		result = ticket.AnnounceResult{}
		for _, e := range base.Emergencies {
			kind, terms, due := e.Tell(e.Announced, r.CheckedAt, base.Now, r.Revision)
			if !due {
				continue
			}
			result.Announcements++
			closed := slices.ContainsFunc(base.Emergencies, func(o AnnouncedEmergency) bool { return o.ID != e.ID && o.Closes(base.Now) })
			news := desk.News{Announces: kind, EmergencyTerms: terms, Kind: e.Kind, StillClosed: closed}
			if err := announce(ctx, tx, e, news, base.Settle, r); err != nil {
				return err
			}
		}
		if err := release(ctx, tx, r, base.Now); err != nil {
			return err
		}
		result.Left, result.Held, err = tx.CountMails(ctx)
		return err
	})
	return result, err
}

// announce stores an announcement with a mail to each requester whom it reaches. What they know is read once earlier mails
// are superseded, so that none can be claimed in between: one that is on its way counts as sent.
func announce(ctx context.Context, tx AnnounceTx, e AnnouncedEmergency, news desk.News, settle time.Duration, r ticket.AnnounceRequest) error {
	id, err := tx.AddAnnouncement(ctx, e, news, r)
	if err != nil {
		return err
	}
	requesters, err := tx.AffectedRequesters(ctx, e.ID, news.EmergencyTerms, news.Announces.Before(news.EmergencyTerms))
	if err != nil {
		return err
	}
	to := make([]ticket.PersonID, 0, len(requesters))
	for _, q := range requesters {
		if news.Reaches(q, settle) {
			to = append(to, q.Person)
		}
	}
	return tx.AddAnnouncementMails(ctx, id, to)
}

// release releases held mails: all of them or, while the fan-out is incomplete, those that need not wait for it.
func release(ctx context.Context, tx AnnounceTx, r ticket.AnnounceRequest, now time.Time) error {
	if !r.Partial {
		return tx.Release(ctx)
	}
	schedule, err := tx.Schedule(ctx)
	if err != nil {
		return err
	}
	latest := schedule.Outlook(now).Reached
	return tx.ReleasePunctual(ctx, latest.At, schedule.PausesAt(latest.At))
}
