package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
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

// AnnounceTx runs fn in a transaction. Its lock excludes other calls, and blocks no reader.
func (s *Store) AnnounceTx(ctx context.Context, fn func(app.AnnounceBase, app.AnnounceTx) error) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE announcements IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		base := app.AnnounceBase{Settle: s.settle}
		err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&base.Now)
		if err == nil {
			base.Emergencies, err = announcedEmergencies(ctx, tx)
		}
		if err != nil {
			return err
		}
		return fn(base, &announceTx{store: s, tx: tx})
	})
	return explain(err, "announce emergencies")
}

// announceTx is the transaction of AnnounceTx.
type announceTx struct {
	store *Store
	tx    pgx.Tx
}

// announcedEmergencies returns the emergencies that may have something left to announce.
func announcedEmergencies(ctx context.Context, tx pgx.Tx) ([]app.AnnouncedEmergency, error) {
	all, err := emergencies(ctx, tx, `
		LEFT JOIN LATERAL (SELECT stage FROM announcements WHERE emergency = e.id ORDER BY n DESC LIMIT 1) last ON true
		WHERE last.stage IN ('planned', 'in-force') OR last.stage IS NULL AND e.cancelled_at IS NULL ORDER BY e.starts_at, e.id`)
	if err != nil {
		return nil, err
	}
	current := make([]app.AnnouncedEmergency, 0, len(all))
	for _, e := range all {
		one := app.AnnouncedEmergency{Emergency: e}
		var terms desk.EmergencyTerms
		var seconds int64
		err := tx.QueryRow(ctx, `
			SELECT n, stage, starts_at, nullif(ends_at, 'infinity'), seconds FROM announcements
			WHERE emergency = $1 ORDER BY n DESC LIMIT 1`, e.ID).Scan(&one.Announcements, &terms.Stage, &terms.From, nullable(&terms.Until), &seconds)
		if err == nil {
			terms.By = time.Duration(seconds) * time.Second
			one.Announced = &terms
		} else if !errors.Is(err, pgx.ErrNoRows) {
			return nil, err
		}
		current = append(current, one)
	}
	return current, nil
}

// lastSentTerms selects the terms of the emergency @emergency that were last sent to r.requester. A superseded mail with
// an active claim counts as sent, since it may be on its way.
const lastSentTerms = `
	SELECT a.stage, a.starts_at, a.ends_at, a.seconds FROM announcements a JOIN deliveries m ON m.announcement = a.id
	WHERE a.emergency = @emergency AND m.person = r.requester
		AND (m.status = 'sent' OR m.status = 'superseded' AND m.claimed_until > clock_timestamp())
	ORDER BY a.n DESC LIMIT 1`

// affectedRequesters selects the requesters whom an emergency affects, with what they know of it.
var affectedRequesters = `
	SELECT r.requester AS person, heard.stage IS NOT NULL AS informed,
		coalesce((heard.stage, heard.starts_at, heard.ends_at, heard.seconds) =
			(@stage::text, @from::timestamptz, coalesce(@until::timestamptz, 'infinity'), @seconds::bigint), false) AS current,
		EXISTS (SELECT FROM announcements a JOIN deliveries m ON m.announcement = a.id
			WHERE a.emergency = @emergency AND m.person = r.requester) AS mailed,
		EXISTS (SELECT FROM tickets t WHERE t.requester = r.requester AND t.submitted_at >= @from AND ` + concerned + `) AS receipt
	FROM (` + strings.ReplaceAll(announcementRecipients, "$1", "@before") + `) r
	LEFT JOIN LATERAL (` + lastSentTerms + `) heard ON true`

// AffectedRequesters implements app.AnnounceTx.
func (t *announceTx) AffectedRequesters(ctx context.Context, id ticket.EmergencyID, terms desk.EmergencyTerms, before time.Time) ([]desk.AffectedRequester, error) {
	rows, _ := t.tx.Query(ctx, affectedRequesters, pgx.StrictNamedArgs{
		"emergency": id, "stage": terms.Stage, "from": terms.From, "until": instant(terms.Until), "seconds": int64(terms.By / time.Second),
		"before": instant(before),
	})
	return pgx.CollectRows(rows, pgx.RowToStructByName[desk.AffectedRequester])
}

// AddAnnouncement implements app.AnnounceTx. Once an emergency has started, the announcement that another of its kind has
// ended is out of date.
func (t *announceTx) AddAnnouncement(ctx context.Context, e app.AnnouncedEmergency, news desk.News, r ticket.AnnounceRequest) (id int64, err error) {
	err = t.tx.QueryRow(ctx, `
		WITH superseded AS (
			UPDATE deliveries m SET status = 'superseded', settled_at = clock_timestamp()
			FROM announcements a JOIN emergencies e ON e.id = a.emergency
			WHERE a.id = m.announcement AND m.status IN ('held', 'owed')
				AND (a.emergency = @emergency OR @kind = 'started' AND a.kind = 'ended' AND e.kind = @emergency_kind))
		INSERT INTO announcements (emergency, n, kind, stage, starts_at, ends_at, seconds, verified_at, revision)
		VALUES (@emergency, @n, @kind, @stage, @from, coalesce(@until::timestamptz, 'infinity'), @seconds, @checked, @revision)
		RETURNING id`,
		pgx.StrictNamedArgs{
			"emergency": e.ID, "emergency_kind": e.Kind, "n": e.Announcements + 1, "kind": news.Announces, "stage": news.Stage, "from": news.From,
			"until": instant(news.Until), "seconds": int64(news.By / time.Second), "checked": r.CheckedAt, "revision": r.Revision,
		}).Scan(&id)
	return id, err
}

// AddAnnouncementMails implements app.AnnounceTx. They continue the trace of the change that is announced.
func (t *announceTx) AddAnnouncementMails(ctx context.Context, id int64, to []ticket.PersonID) error {
	_, err := t.tx.Exec(ctx, `
		INSERT INTO deliveries (queue, announcement, person, status, trace)
		SELECT 'announcement', a.id, person, 'held', (
			SELECT c.trace FROM emergency_changes c WHERE c.emergency = a.emergency AND c.revision <= a.revision ORDER BY c.revision DESC LIMIT 1)
		FROM announcements a, unnest($2::text[]) person WHERE a.id = $1 ON CONFLICT DO NOTHING`, id, to)
	return err
}

// Schedule implements app.AnnounceTx.
func (t *announceTx) Schedule(ctx context.Context) (ticket.EmergencySchedule, error) {
	var revision int64
	if err := t.tx.QueryRow(ctx, `SELECT revision FROM emergency_schedule`).Scan(&revision); err != nil {
		return ticket.EmergencySchedule{}, err
	}
	return t.store.scheduleSince(ctx, t.tx, revision)
}

const releaseMails = `UPDATE deliveries m SET status = 'owed', owed_at = clock_timestamp() WHERE m.status = 'held'`

// Release implements app.AnnounceTx.
func (t *announceTx) Release(ctx context.Context) error {
	_, err := t.tx.Exec(ctx, releaseMails)
	return err
}

// ReleasePunctual implements app.AnnounceTx; see whereLate.
func (t *announceTx) ReleasePunctual(ctx context.Context, transition time.Time, paused bool) error {
	_, err := t.tx.Exec(ctx, releaseMails+` AND NOT EXISTS (SELECT FROM tickets t WHERE t.requester = m.person AND `+concerned+` AND `+whereLate+`)`,
		transition, paused)
	return err
}

// CountMails implements app.AnnounceTx. Each of the two counts has an index; one over both would read every delivery there
// ever was.
func (t *announceTx) CountMails(ctx context.Context) (left, held int, err error) {
	err = t.tx.QueryRow(ctx, `SELECT
		(SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND ticket IS NULL AND status = 'owed'),
		(SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND status = 'held')`).Scan(&left, &held)
	return left, held, err
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

// AnnouncementMail returns the announcement mail with an ID. It is NotFound if there is none.
func (s *Store) AnnouncementMail(ctx context.Context, id int64) (m app.StoredAnnouncement, err error) {
	a := &m.Data
	a.ID = id
	var seconds int64
	err = s.pool.QueryRow(ctx, `
		SELECT coalesce(before.unsent, false), coalesce(before.sent, false), m.status, m.tries, m.person, p.name, p.address,
			p.disabled_at IS NOT NULL, a.kind, a.stage, a.starts_at, nullif(a.ends_at, 'infinity'),
			a.seconds, a.made_at, e.id, e.kind, e.notice
		FROM deliveries m
		JOIN announcements a ON a.id = m.announcement
		JOIN emergencies e ON e.id = a.emergency
		JOIN people p ON p.id = m.person
		LEFT JOIN LATERAL (
			SELECT bool_or(o.status = 'superseded') AS unsent, bool_or(o.status = 'sent') AS sent
			FROM deliveries o JOIN announcements b ON b.id = o.announcement
			WHERE o.person = m.person AND b.emergency = a.emergency AND b.n < a.n) before ON true
		WHERE m.queue = 'announcement' AND m.n = $1 AND m.ticket IS NULL`, id).
		Scan(&m.Unsent, &m.Sent, &m.Delivery, &m.Tries, &m.Person, &a.To.Name, &a.To.Address,
			&a.Disabled, &a.Announces, &a.Stage, &a.From, nullable(&a.Until), &seconds, &a.At, &a.Emergency, &a.Kind, &a.Notice)
	if errors.Is(err, pgx.ErrNoRows) {
		return app.StoredAnnouncement{}, errNoMail
	}
	a.By = time.Duration(seconds) * time.Second
	return m, explain(err, "load announcement's mail %d", id)
}

// RequesterTickets returns the oldest of a requester's tickets that an emergency concerns, at most limit, and their total
// number. Tickets without a step are left out: their receipts, which mention the emergency, are still to come.
func (s *Store) RequesterTickets(ctx context.Context, requester ticket.PersonID, limit int) (tickets []app.RequesterTicket, total int, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT t.number, w.subject, t.policy, t.state, count(*) OVER () AS total
		FROM tickets t
		JOIN commands c ON c.ticket = t.number AND c.seq = 1
		JOIN messages w ON w.id = c.message
		WHERE t.requester = $1 AND t.state IS NOT NULL AND `+concerned+`
		ORDER BY t.submitted_at, t.number LIMIT $2`, requester, limit)
	tickets, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (t app.RequesterTicket, err error) {
		var state ticket.State
		err = row.Scan(&t.Number, &t.Subject, &t.Policy, &state, &total)
		t.Ticket = state.Ticket
		return t, err
	})
	return tickets, total, explain(err, "read the tickets of %s", requester)
}
