package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// lastChanges is when each emergency was last changed, as the announcements of it have it. For Options.Settle after that none
// of its mails is sent: what is announced of the change may supersede them.
const lastChanges = `(SELECT a.id AS announcement, max(c.at) AS changed_at
	FROM announcements a JOIN emergency_changes c ON c.emergency = a.emergency GROUP BY 1)`

// NextAnnouncement takes the mail of an announcement that has waited the longest, for one try: until its claim ends, or
// it is held again, no other try gets it. Found is false when none may be sent now.
func (s *Store) NextAnnouncement(ctx context.Context, try string, lasts time.Duration) (id int64, found bool, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE announcement_mails SET claimed_by = $1, claimed_until = clock_timestamp() + $2
		WHERE id = (
			SELECT id FROM announcement_mails
			WHERE status = 'owed' AND not_before <= clock_timestamp() AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
				AND announcement <> ALL (ARRAY(SELECT announcement FROM `+lastChanges+` c WHERE changed_at > clock_timestamp() - $3::interval))
			ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING id`, try, lasts, s.settle).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, false, nil
	}
	return id, err == nil, explain(err, "take an announcement's mail")
}

// HoldAnnouncement renews a try's claim.
func (s *Store) HoldAnnouncement(ctx context.Context, id int64, try string, lasts time.Duration) error {
	_, err := s.pool.Exec(ctx, `UPDATE announcement_mails SET claimed_until = clock_timestamp() + $3 WHERE id = $1 AND claimed_by = $2`,
		id, try, lasts)
	return explain(err, "hold announcement's mail %d", id)
}

// ReleaseAnnouncement ends a try's claim, if it still has one.
func (s *Store) ReleaseAnnouncement(ctx context.Context, id int64, try string) error {
	_, err := s.pool.Exec(ctx, `UPDATE announcement_mails SET claimed_by = NULL, claimed_until = NULL WHERE id = $1 AND claimed_by = $2`, id, try)
	return explain(err, "release announcement's mail %d", id)
}

// AnnouncementSent notes that a mail was handed over, also of one that was superseded in that moment. Noted twice, or of
// one that bounced, it changes nothing.
func (s *Store) AnnouncementSent(ctx context.Context, id int64) error {
	return s.settleAnnouncement(ctx, id, `
		UPDATE announcement_mails SET settled_at = coalesce(settled_at, clock_timestamp()),
			status = CASE WHEN status IN ('owed', 'superseded') THEN 'sent' ELSE status END
		WHERE id = $1`, id)
}

// AnnouncementBounced notes that a mail can't be delivered, and why. The first reason stays.
func (s *Store) AnnouncementBounced(ctx context.Context, id int64, reason string) error {
	return s.settleAnnouncement(ctx, id, `
		UPDATE announcement_mails SET status = 'bounced', reason = coalesce(reason, $2), settled_at = coalesce(settled_at, clock_timestamp())
		WHERE id = $1`, id, storable(reason))
}

// AnnouncementObsolete notes that a mail is of no use to its recipient any more. One that was settled stays as it was.
func (s *Store) AnnouncementObsolete(ctx context.Context, id int64) error {
	_, err := s.pool.Exec(ctx, `UPDATE announcement_mails SET status = 'superseded', settled_at = clock_timestamp() WHERE id = $1 AND status = 'owed'`, id)
	return explain(err, "give up announcement's mail %d", id)
}

func (s *Store) settleAnnouncement(ctx context.Context, id int64, sql string, args ...any) error {
	tag, err := s.pool.Exec(ctx, sql, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoMail
	}
	return explain(err, "settle announcement's mail %d", id)
}

// AnnouncementDeferred notes that a mail server put a mail off, gives when one did so first, and keeps it from being
// tried again for a growing while: a minute, and twice as long each time, up to an hour.
func (s *Store) AnnouncementDeferred(ctx context.Context, id int64) (since time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE announcement_mails SET deferred_at = coalesce(deferred_at, clock_timestamp()), deferrals = deferrals + 1,
			not_before = clock_timestamp() + least(interval '1 minute' * 2 ^ least(deferrals, 10), interval '1 hour')
		WHERE id = $1
		RETURNING deferred_at`, id).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, errNoMail
	}
	return since, explain(err, "note that announcement's mail %d was put off", id)
}

// PutAnnouncementOff lets other mails go first for a while: this one failed, for whatever reason.
func (s *Store) PutAnnouncementOff(ctx context.Context, id int64, pause time.Duration) error {
	_, err := s.pool.Exec(ctx, `UPDATE announcement_mails SET not_before = clock_timestamp() + $2 WHERE id = $1 AND status = 'owed'`, id, pause)
	return explain(err, "put announcement's mail %d off", id)
}

// AnnouncementsLeft counts the mails that are owed, and gives when the first of them may be sent.
func (s *Store) AnnouncementsLeft(ctx context.Context) (result ticket.AnnouncementsResult, err error) {
	var next *time.Time
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), nullif(greatest(min(greatest(not_before, claimed_until, changed_at + $1::interval)), '1970-01-01'), '1970-01-01')
		FROM announcement_mails LEFT JOIN `+lastChanges+` c USING (announcement) WHERE status = 'owed'`, s.settle).Scan(&result.Left, &next)
	result.Next = orZero(next)
	return result, explain(err, "count announcements' mails")
}
