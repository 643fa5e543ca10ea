package store

import (
	"context"
	"errors"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// concerned are the tickets t whose requesters are written to about an emergency: those that are owed something. Who has
// a ticket that is resolved is promised nothing that could move.
const concerned = `t.status IN ('new', 'open', 'waiting')`

// announcementRecipients are the requesters who are written to about an emergency, each once, and nobody who works here: $1 is the
// instant from which on a submitted ticket concerns nobody, null without one. A dry run counts them by the same rule.
const announcementRecipients = `
	SELECT DISTINCT t.requester FROM tickets t JOIN people p ON p.id = t.requester
	WHERE ` + concerned + ` AND p.role = 'customer' AND p.disabled_at IS NULL
		AND t.submitted_at < coalesce($1::timestamptz, 'infinity')`

// Announce writes down what there is to tell of each emergency, and who is to be told by mail: whoever has a ticket that
// is owed something, once, and nobody who works here. What is owed of earlier announcements of the same emergency is
// superseded, and mails wait until nobody has changed the emergency for a while. What has been announced is not announced
// again. While some tickets are unproven, whoever has one that is
// not right has their mail held back until it is: each later call looks again.
func (s *Store) Announce(ctx context.Context, r ticket.AnnounceRequest) (result ticket.AnnounceResult, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		// Two that announce at once wait for each other, and nobody else waits.
		if _, err := tx.Exec(ctx, `LOCK TABLE announcements IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		var now time.Time
		if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
			return err
		}
		lasting, err := announcedEmergencies(ctx, tx)
		if err != nil {
			return err
		}
		for _, l := range lasting {
			tells, said, tell := l.Tell(l.lastTerms, r.Proven, now, r.Revision)
			if !tell {
				continue
			}
			result.Announcements++
			others := slices.ContainsFunc(lasting, func(o announcedEmergency) bool { return o.ID != l.ID && o.Closes(now) })
			if err := s.insertAnnouncement(ctx, tx, l, desk.News{Announces: tells, EmergencyTerms: said, Kind: l.Kind, Closed: others}, r); err != nil {
				return err
			}
		}
		if err := s.releaseHeld(ctx, tx, r, now); err != nil {
			return err
		}
		return tx.QueryRow(ctx, `SELECT count(*) FILTER (WHERE status = 'owed'), count(*) FILTER (WHERE status = 'held')
			FROM deliveries WHERE queue = 'announcement' AND status IN ('owed', 'held')`).Scan(&result.Left, &result.Held)
	})
	return result, explain(err, "announce emergencies")
}

// announcedEmergency is an emergency, and what was told of it last.
type announcedEmergency struct {
	desk.Emergency
	n         int                  // of the last announcement; 0: none
	lastTerms *desk.EmergencyTerms // nil: nothing
}

// announcedEmergencies gives the emergencies of which there may be something to tell still.
func announcedEmergencies(ctx context.Context, tx pgx.Tx) ([]announcedEmergency, error) {
	all, err := emergencies(ctx, tx, `
		LEFT JOIN LATERAL (SELECT stage FROM announcements WHERE emergency = e.id ORDER BY n DESC LIMIT 1) last ON true
		WHERE last.stage IN ('planned', 'in-force') OR last.stage IS NULL AND e.cancelled_at IS NULL ORDER BY e.starts_at, e.id`)
	if err != nil {
		return nil, err
	}
	lasting := make([]announcedEmergency, 0, len(all))
	for _, e := range all {
		one := announcedEmergency{Emergency: e}
		var told desk.EmergencyTerms
		var until *time.Time
		var seconds int64
		err := tx.QueryRow(ctx, `
			SELECT n, stage, starts_at, nullif(ends_at, 'infinity'), seconds FROM announcements
			WHERE emergency = $1 ORDER BY n DESC LIMIT 1`, e.ID).Scan(&one.n, &told.Stage, &told.From, &until, &seconds)
		if err == nil {
			told.Until, told.By = orZero(until), time.Duration(seconds)*time.Second
			one.lastTerms = &told
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		lasting = append(lasting, one)
	}
	return lasting, nil
}

// insertAnnouncement writes one announcement and owes its mails.
func (s *Store) insertAnnouncement(ctx context.Context, tx pgx.Tx, a announcedEmergency, news desk.News, r ticket.AnnounceRequest) error {
	var id int64
	err := tx.QueryRow(ctx, `
		INSERT INTO announcements (emergency, n, tells, stage, starts_at, ends_at, seconds, proven_at, revision)
		VALUES (@emergency, @n, @tells, @stage, @from, coalesce(@until::timestamptz, 'infinity'), @seconds, @proven, @revision)
		RETURNING id`,
		pgx.StrictNamedArgs{
			"emergency": a.ID, "n": a.n + 1, "tells": news.Announces, "stage": news.Stage, "from": news.From, "until": instant(news.Until),
			"seconds": int64(news.By / time.Second), "proven": r.Proven, "revision": r.Revision,
		}).Scan(&id)
	if err != nil {
		return err
	}
	// That another emergency of this kind is over is news no more where this one has begun.
	if _, err := tx.Exec(ctx, `
		UPDATE deliveries m SET status = 'superseded', settled_at = clock_timestamp()
		FROM announcements a JOIN emergencies e ON e.id = a.emergency
		WHERE a.id = m.announcement AND a.id <> $2 AND m.status IN ('held', 'owed')
			AND (a.emergency = $1 OR $3 = 'started' AND a.tells = 'ended' AND e.kind = $4)`, a.ID, id, news.Announces, a.Kind); err != nil {
		return err
	}
	audience := news.Audience(s.settle)
	if audience == desk.AudienceNone {
		return nil
	}
	_, err = tx.Exec(ctx, insertAnnouncementMails, pgx.StrictNamedArgs{
		"id": id, "emergency": a.ID, "before": instant(news.Announces.Before(news.EmergencyTerms)), "from": news.From,
		"audience": audience,
	})
	return err
}

// lastSentTerms is what somebody, told.requester, was sent about the emergency $emergency before, the latest first; a mail that is
// being handed over just now may have gone out.
const lastSentTerms = `
	SELECT a.stage, a.starts_at, a.ends_at, a.seconds FROM announcements a JOIN deliveries m ON m.announcement = a.id
	WHERE a.emergency = @emergency AND m.person = told.requester
		AND (m.status = 'sent' OR m.status = 'superseded' AND m.claimed_until > clock_timestamp())
	ORDER BY a.n DESC LIMIT 1`

// insertAnnouncementMails owes an announcement's mails: none to somebody who was told just that last. Who was never told may be left
// out of it: those whose earlier mail was superseded unsent, or all but those whose receipt spoke of the emergency.
var insertAnnouncementMails = `
	INSERT INTO deliveries (queue, announcement, person, status)
	SELECT 'announcement', @id::bigint, told.requester, 'held'
	FROM (` + strings.ReplaceAll(announcementRecipients, "$1", "@before") + `) told
	LEFT JOIN LATERAL (` + lastSentTerms + `) heard ON true
	JOIN announcements new ON new.id = @id
	WHERE (heard.stage, heard.starts_at, heard.ends_at, heard.seconds) IS DISTINCT FROM (new.stage, new.starts_at, new.ends_at, new.seconds)
		AND (heard.stage IS NOT NULL OR CASE @audience::text
			WHEN 'not-withdrawn' THEN NOT EXISTS (SELECT FROM announcements a JOIN deliveries m ON m.announcement = a.id
				WHERE a.emergency = @emergency AND m.person = told.requester)
			WHEN 'told' THEN EXISTS (SELECT FROM tickets t WHERE t.requester = told.requester AND t.submitted_at >= @from AND ` + concerned + `)
			ELSE true END)
	ON CONFLICT DO NOTHING`

// releaseHeld makes the mails owed that nothing holds back any more: all of them, or, while some tickets are unproven, those of
// people whose tickets are right as of the last edge that is reached.
func (s *Store) releaseHeld(ctx context.Context, tx pgx.Tx, r ticket.AnnounceRequest, now time.Time) error {
	const free = `UPDATE deliveries m SET status = 'owed', owed_at = clock_timestamp() WHERE m.status = 'held'`
	if !r.Unproven {
		_, err := tx.Exec(ctx, free)
		return err
	}
	var revision int64
	if err := tx.QueryRow(ctx, `SELECT revision FROM gate`).Scan(&revision); err != nil {
		return err
	}
	gate, err := s.scheduleSince(ctx, tx, revision)
	if err != nil {
		return err
	}
	edge := gate.Outlook(now).Reached
	_, err = tx.Exec(ctx, free+` AND NOT EXISTS (SELECT FROM tickets t WHERE t.requester = m.person AND `+concerned+` AND `+whereLate+`)`,
		edge.At, gate.PausesAt(edge.At))
	return err
}

// AnnouncementMails counts an emergency's mails by what became of them.
func (s *Store) AnnouncementMails(ctx context.Context, id ticket.EmergencyID) (map[desk.DeliveryStatus]int, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT m.status, count(*) FROM deliveries m JOIN announcements a ON a.id = m.announcement
		WHERE a.emergency = $1 GROUP BY 1`, id)
	if err != nil {
		return nil, explain(err, "count the mails of %s", id)
	}
	counts := map[desk.DeliveryStatus]int{}
	var status desk.DeliveryStatus
	var n int
	_, err = pgx.ForEachRow(rows, []any{&status, &n}, func() error {
		counts[status] = n
		return nil
	})
	return counts, explain(err, "count the mails of %s", id)
}
