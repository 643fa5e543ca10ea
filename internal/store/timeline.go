package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type entryRow struct {
	Data       []byte
	RecordedAt time.Time
	Body       string
	Internal   bool
	Author     ticket.PersonID
	Name       string
	Handle     string
	Role       ticket.Role
	MailKind   ticket.MailKind
	MailReason string
	MailTo     ticket.PersonID
	MailResent bool
	ToName     string
	ToHandle   string
	ToRole     ticket.Role
}

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
		LEFT JOIN deliveries b ON b.ticket = e.ticket AND b.told = e.n AND b.queue = 'ticket'
		LEFT JOIN people r ON r.id = b.person
		WHERE e.ticket = $1 ORDER BY e.n`, n)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[entryRow])
	if err != nil {
		return nil, explain(err, "load the timeline of %s", n)
	}
	entries := make([]desk.Entry, 0, len(found))
	for _, row := range found {
		entry, err := row.entry()
		if err != nil {
			return nil, explain(err, "load the timeline of %s", n)
		}
		entries = append(entries, entry)
	}
	return entries, nil
}

func (r entryRow) entry() (desk.Entry, error) {
	e := desk.Entry{Body: r.Body, Internal: r.Internal, Recorded: r.RecordedAt}
	if r.Author != "" {
		e.Author = desk.Ref{ID: r.Author, Name: r.Name, Handle: r.Handle, Role: r.Role}
	}
	if r.MailTo != "" {
		to := desk.Ref{ID: r.MailTo, Name: r.ToName, Handle: r.ToHandle, Role: r.ToRole}
		e.Bounce = &desk.Bounce{Kind: r.MailKind, To: to, Reason: r.MailReason, Resent: r.MailResent}
	}
	if err := json.Unmarshal(r.Data, &e.Event); err != nil {
		return desk.Entry{}, fmt.Errorf("read an event: %w", err)
	}
	return e, nil
}
