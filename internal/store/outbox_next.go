package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// NextDelivery returns when the next delivery of a queue may be sent; the zero time if there is none. One that is due
// already is claimed by another process or has just been added, so it returns an instant shortly ahead.
func (s *Store) NextDelivery(ctx context.Context, q outbox.Queue) (next time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT CASE WHEN count(*) > 0 THEN greatest(min(greatest(not_before, claimed_until)), clock_timestamp() + @pause::interval) END
		FROM deliveries WHERE queue = @queue AND ticket IS NULL AND status = 'owed'`,
		pgx.StrictNamedArgs{"queue": q, "pause": claimedPause}).Scan(nullable(&next))
	return next, explain(err, "look for a delivery")
}

// AnnouncementsLeft returns how many announcement mails are unsent, and when the next of them may be sent.
func (s *Store) AnnouncementsLeft(ctx context.Context) (result ticket.SendAnnouncementsResult, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), nullif(greatest(min(greatest(not_before, claimed_until, changed_at + $1::interval)), '1970-01-01'), '1970-01-01')
		FROM deliveries LEFT JOIN `+emergenciesChangedAt+` c USING (announcement)
		WHERE queue = 'announcement' AND ticket IS NULL AND status = 'owed'`, s.settle).Scan(&result.Left, nullable(&result.Next))
	return result, explain(err, "count announcements' mails")
}

// AwaitDeliveries calls wake once it listens, and whenever a delivery is added that no workflow sends, until ctx ends or the
// connection breaks. Its error is never nil.
func (s *Store) AwaitDeliveries(ctx context.Context, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return explain(err, "listen for deliveries")
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+deliveryChannel); err != nil {
		return explain(err, "listen for deliveries")
	}
	for {
		wake()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return explain(err, "listen for deliveries")
		}
	}
}
