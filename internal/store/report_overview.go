package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// OpenTickets counts the tickets that are not closed by status, age and assignee. bands are instants in descending
// order; the band of a ticket is the number of them at or after its submission.
func (s *Store) OpenTickets(ctx context.Context, bands []time.Time, dueBefore time.Time) ([]report.OpenCount, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.status, c.band, coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''), coalesce(a.role, ''),
			c.count, c.due, c.breached, c.snoozed
		FROM (
			SELECT status, assignee, (SELECT count(*) FROM unnest(@bands::timestamptz[]) b WHERE submitted_at <= b) AS band,
				count(*), count(*) FILTER (WHERE promise_due < @due) AS due, count(*) FILTER (WHERE breached) AS breached,
				count(*) FILTER (WHERE snoozed_until IS NOT NULL) AS snoozed
			FROM tickets WHERE status <> 'closed' GROUP BY 1, 2, 3) c
		LEFT JOIN people a ON a.id = c.assignee`, pgx.StrictNamedArgs{"bands": bands, "due": dueBefore})
	cells, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c report.OpenCount, err error) {
		return c, row.Scan(&c.Status, &c.Band, &c.Agent.ID, &c.Agent.Name, &c.Agent.Handle, &c.Agent.Role, &c.Count, &c.DueToday, &c.Breached, &c.Snoozed)
	})
	return cells, explain(err, "count open tickets")
}

// Escalated returns the open tickets whose escalation is not acknowledged, up to limit: the highest escalation step
// first, then the longest overdue.
func (s *Store) Escalated(ctx context.Context, limit int) (e report.Escalations, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT t.number, m.subject, coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''), coalesce(a.role, ''),
			t.escalation_step, t.state, (SELECT count(*) FROM tickets WHERE escalation_step > 0 AND status <> 'closed')
		FROM tickets t
		JOIN commands c ON c.ticket = t.number AND c.seq = 1
		JOIN messages m ON m.id = c.message
		LEFT JOIN people a ON a.id = t.assignee
		WHERE t.escalation_step > 0 AND t.status <> 'closed' ORDER BY t.escalation_step DESC, t.owed_at, t.number LIMIT $1`, limit)
	e.First, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one report.Escalation, err error) {
		var state ticket.State
		err = row.Scan(&one.Number, &one.Subject, &one.Agent.ID, &one.Agent.Name, &one.Agent.Handle, &one.Agent.Role,
			&one.EscalationStep, &state, &e.Count)
		one.Ticket = state.Ticket
		return one, err
	})
	return e, explain(err, "list escalations")
}

// MailState counts the mails that are not sent yet, those that bounced since an instant, and incoming ones.
func (s *Store) MailState(ctx context.Context, lostSince time.Time) (m report.MailStatus, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT w.waiting, w.oldest, w.put_off,
			(SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'bounced' AND settled_at >= $1),
			(SELECT count(*) FROM deliveries WHERE queue = 'account' AND ticket IS NULL AND status = 'owed'),
			(SELECT count(*) FROM deliveries WHERE queue = 'account' AND status = 'bounced' AND settled_at >= $1),
			(SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND ticket IS NULL AND status = 'owed'),
			(SELECT count(*) FROM deliveries WHERE queue = 'announcement' AND status = 'bounced' AND settled_at >= $1),
			(SELECT count(*) FROM incoming_mails WHERE status = 'quarantined'), i.waiting, i.oldest
		FROM (SELECT count(*) AS waiting, min(owed_at) AS oldest, count(deferred_at) AS put_off 
			FROM deliveries WHERE queue = 'ticket' AND ticket IS NOT NULL AND status = 'owed') w,
			(SELECT count(*) AS waiting, min(greatest(received_at, settled_at)) AS oldest FROM incoming_mails WHERE status = 'received') i`,
		lostSince).Scan(&m.Waiting, nullable(&m.Oldest), &m.PutOff, &m.Bounced, &m.AccountsWaiting, &m.AccountsLost,
		&m.AnnouncementsWaiting, &m.AnnouncementsBounced, &m.Quarantined, &m.Unprocessed, nullable(&m.OldestUnprocessed))
	return m, explain(err, "count the mails that wait")
}

// ListMails returns the mails of tickets and announcements that are not sent yet, oldest first, or with DeliveryBounced
// those that bounced since an instant, newest first.
func (s *Store) ListMails(ctx context.Context, status desk.DeliveryStatus, since time.Time, limit int) ([]report.Mail, error) {
	which, order := `m.status = 'owed' AND m.owed_at >= $2`, `owed_at`
	if status == desk.DeliveryBounced {
		which, order = `m.status = 'bounced' AND m.settled_at >= $2`, `settled_at DESC`
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT m.ticket, coalesce(w.subject, ''), m.emergency, m.kind, p.id, p.name, coalesce(p.handle, ''), p.role, p.address,
			m.owed_at, m.deferred_at, m.settled_at, coalesce(m.reason, '')
		FROM (
			(SELECT m.ticket, m.n, '' AS emergency, m.kind, m.person, m.owed_at, m.deferred_at, m.settled_at, m.reason
				FROM deliveries m WHERE m.queue = 'ticket' AND m.ticket IS NOT NULL AND `+which+` ORDER BY m.`+order+`, m.ticket, m.n LIMIT $1)
			UNION ALL
			(SELECT '', m.n, a.emergency, a.kind, m.person, m.owed_at, m.deferred_at, m.settled_at, m.reason
				FROM deliveries m JOIN announcements a ON a.id = m.announcement
				WHERE m.queue = 'announcement' AND m.ticket IS NULL AND `+which+` ORDER BY m.`+order+`, m.n LIMIT $1)
		) m
		LEFT JOIN commands c ON c.ticket = m.ticket AND c.seq = 1
		LEFT JOIN messages w ON w.id = c.message
		JOIN people p ON p.id = m.person
		ORDER BY m.`+order+`, m.ticket, m.n LIMIT $1`, limit, since)
	mails, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p report.Mail, err error) {
		err = row.Scan(&p.Number, &p.Subject, &p.Emergency, &p.Kind, &p.To.ID, &p.To.Name, &p.To.Handle, &p.To.Role, &p.Address, &p.Owed,
			nullable(&p.Deferred), nullable(&p.Settled), &p.Reason)
		return p, err
	})
	return mails, explain(err, "list mails")
}
