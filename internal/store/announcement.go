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

// concerned selects the tickets t whose requesters get an emergency's announcements: those with a target that is
// still to be met. A resolved ticket has no deadline that could move.
const concerned = `t.status IN ('new', 'open', 'waiting')`

// announcementRecipients selects the customers, each once, who get an emergency's announcements. Tickets submitted from the
// instant $1 on don't count; null means that all count. A dry run uses the same rule.
const announcementRecipients = `
	SELECT DISTINCT t.requester FROM tickets t JOIN people p ON p.id = t.requester
	WHERE ` + concerned + ` AND p.role = 'customer' AND p.disabled_at IS NULL
		AND t.submitted_at < coalesce($1::timestamptz, 'infinity')`

// Announce inserts the announcements that are due of each emergency, and a mail to each customer with a ticket that is
// concerned. It supersedes unsent mails of earlier announcements of the same emergency; mails are not sent until the
// emergency has been unchanged for Options.Settle. It is idempotent: nothing is announced twice. While the fan-out is
// incomplete, the mails of requesters whose tickets it has yet to reach are held; each later call releases those that
// need not be held any more.
func (s *Store) Announce(ctx context.Context, r ticket.AnnounceRequest) (result ticket.AnnounceResult, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		// This lock excludes other calls of Announce, and blocks no reader.
		if _, err := tx.Exec(ctx, `LOCK TABLE announcements IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		var now time.Time
		if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
			return err
		}
		current, err := announcedEmergencies(ctx, tx)
		if err != nil {
			return err
		}
		for _, e := range current {
			kind, terms, due := e.Tell(e.lastTerms, r.Proven, now, r.Revision)
			if !due {
				continue
			}
			result.Announcements++
			others := slices.ContainsFunc(current, func(o announcedEmergency) bool { return o.ID != e.ID && o.Closes(now) })
			if err := s.insertAnnouncement(ctx, tx, e, desk.News{Announces: kind, EmergencyTerms: terms, Kind: e.Kind, Closed: others}, r); err != nil {
				return err
			}
		}
		if err := s.releaseHeld(ctx, tx, r, now); err != nil {
			return err
		}
		// Two counts, each of which has an index; one over both would read every delivery there ever was.
		return tx.QueryRow(ctx, `SELECT
			(SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND ticket IS NULL AND status = 'owed'),
			(SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND status = 'held')`).Scan(&result.Left, &result.Held)
	})
	return result, explain(err, "announce emergencies")
}

// announcedEmergency is an emergency with its latest announcement.
type announcedEmergency struct {
	desk.Emergency
	n         int                  // number of the latest announcement; 0: none
	lastTerms *desk.EmergencyTerms // as announced last; nil: never
}

// announcedEmergencies returns the emergencies that may have something left to announce.
func announcedEmergencies(ctx context.Context, tx pgx.Tx) ([]announcedEmergency, error) {
	all, err := emergencies(ctx, tx, `
		LEFT JOIN LATERAL (SELECT stage FROM announcements WHERE emergency = e.id ORDER BY n DESC LIMIT 1) last ON true
		WHERE last.stage IN ('planned', 'in-force') OR last.stage IS NULL AND e.cancelled_at IS NULL ORDER BY e.starts_at, e.id`)
	if err != nil {
		return nil, err
	}
	current := make([]announcedEmergency, 0, len(all))
	for _, e := range all {
		one := announcedEmergency{Emergency: e}
		var terms desk.EmergencyTerms
		var seconds int64
		err := tx.QueryRow(ctx, `
			SELECT n, stage, starts_at, nullif(ends_at, 'infinity'), seconds FROM announcements
			WHERE emergency = $1 ORDER BY n DESC LIMIT 1`, e.ID).Scan(&one.n, &terms.Stage, &terms.From, nullable(&terms.Until), &seconds)
		if err == nil {
			terms.By = time.Duration(seconds) * time.Second
			one.lastTerms = &terms
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		current = append(current, one)
	}
	return current, nil
}

// insertAnnouncement inserts an announcement and its mails.
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
	// Once an emergency has started, the announcement that another of its kind has ended is out of date.
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

// lastSentTerms selects the terms of the emergency @emergency that were last sent to told.requester. A superseded mail with
// an active claim counts as sent, since it may be on its way.
const lastSentTerms = `
	SELECT a.stage, a.starts_at, a.ends_at, a.seconds FROM announcements a JOIN deliveries m ON m.announcement = a.id
	WHERE a.emergency = @emergency AND m.person = told.requester
		AND (m.status = 'sent' OR m.status = 'superseded' AND m.claimed_until > clock_timestamp())
	ORDER BY a.n DESC LIMIT 1`

// insertAnnouncementMails inserts an announcement's mails, except to those who were last sent the same terms. Of those who
// were never sent any, the audience may leave out the ones whose earlier mail was superseded unsent, or all but the ones
// whose receipt mentioned the emergency.
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

// releaseHeld makes held mails ready to be sent: all of them, or, while the fan-out is incomplete, those of requesters none
// of whose tickets is late (see whereLate) at the latest transition.
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
	schedule, err := s.scheduleSince(ctx, tx, revision)
	if err != nil {
		return err
	}
	latest := schedule.Outlook(now).Reached
	_, err = tx.Exec(ctx, free+` AND NOT EXISTS (SELECT FROM tickets t WHERE t.requester = m.person AND `+concerned+` AND `+whereLate+`)`,
		latest.At, schedule.PausesAt(latest.At))
	return err
}

// AnnouncementMails returns the number of an emergency's announcement mails by delivery status.
func (s *Store) AnnouncementMails(ctx context.Context, id ticket.EmergencyID) (map[desk.DeliveryStatus]int, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT m.status, count(*) FROM deliveries m JOIN announcements a ON a.id = m.announcement
		WHERE a.emergency = $1 GROUP BY 1`, id)
	counts := map[desk.DeliveryStatus]int{}
	var status desk.DeliveryStatus
	var n int
	_, err := pgx.ForEachRow(rows, []any{&status, &n}, func() error {
		counts[status] = n
		return nil
	})
	return counts, explain(err, "count the mails of %s", id)
}
