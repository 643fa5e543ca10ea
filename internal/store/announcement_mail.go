package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// AnnouncementMail returns the announcement mail with an ID. It is NotFound if there is no such mail.
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
