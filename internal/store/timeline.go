package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Timeline returns a ticket's events in order, with their messages, including internal ones; the caller leaves out what a
// customer may not see. It is NotFound if the viewer may not see the ticket.
func (s *Store) Timeline(ctx context.Context, viewer desk.Person, n ticket.Number) ([]desk.Entry, error) {
	if err := s.visible(ctx, viewer, n); err != nil {
		return nil, explain(err, "load the timeline of %s", n)
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT e.data, e.recorded_at, coalesce(m.body, '') AS body, coalesce(m.internal, false) AS internal,
			coalesce(p.id, '') AS author, coalesce(p.name, '') AS name, coalesce(p.handle, '') AS handle,
			coalesce(p.role, '') AS role,
			coalesce(b.kind, '') AS mail_kind, coalesce(b.reason, '') AS mail_reason,
			EXISTS (SELECT FROM deliveries a WHERE a.ticket = b.ticket AND a.resends = b.n) AS mail_resent, coalesce(r.id, '') AS mail_to,
			coalesce(r.name, '') AS to_name, coalesce(r.handle, '') AS to_handle, coalesce(r.role, '') AS to_role
		FROM events e
		LEFT JOIN messages m ON m.id = e.message
		LEFT JOIN people p ON p.id = e.data->'by'->>'id'
		LEFT JOIN deliveries b ON b.ticket = e.ticket AND b.failure_event = e.n AND b.queue = 'ticket'
		LEFT JOIN people r ON r.id = b.person
		WHERE e.ticket = $1 ORDER BY e.n`, n)
	entries, err := pgx.CollectRows(rows, scanEntry)
	return entries, explain(err, "load the timeline of %s", n)
}

func scanEntry(row pgx.CollectableRow) (e desk.Entry, err error) {
	a, b := &e.Author, desk.Bounce{}
	err = row.Scan(&e.Event, &e.Recorded, &e.Body, &e.Internal, &a.ID, &a.Name, &a.Handle, &a.Role,
		&b.Kind, &b.Reason, &b.Resent, &b.To.ID, &b.To.Name, &b.To.Handle, &b.To.Role)
	if b.To.ID != "" {
		e.Bounce = &b
	}
	return e, err
}
