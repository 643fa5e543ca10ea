package store

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed presence_look.sql
var lookSQL string

// Look records that a person has a ticket open, and whether they are writing. Subscribers are notified if that changes
// what they know: the person was not there before, started or stopped writing, or somebody else's presence has expired.
// It returns NotFound if there is no such ticket.
func (s *Store) Look(ctx context.Context, by ticket.PersonID, n ticket.Number, writing bool) error {
	var there bool
	err := s.pool.QueryRow(ctx, lookSQL, pgx.StrictNamedArgs{
		"number": n, "person": by, "writing": writing, "lasts": desk.PresenceLasts, "channel": changeChannel,
	}).Scan(&there, nil)
	if err == nil && !there {
		return errNoTicket
	}
	return explain(err, "note who looks at %s", n)
}

// Leave records that a person no longer has a ticket open.
func (s *Store) Leave(ctx context.Context, by desk.Person, n ticket.Number) error {
	_, err := s.pool.Exec(ctx, `
		WITH gone AS (DELETE FROM presences WHERE ticket = $1 AND person = $2 RETURNING ticket)
		SELECT pg_notify($3, ticket || ':presence') FROM gone`, n, by.ID, changeChannel)
	return explain(err, "note who leaves %s", n)
}

// Looking returns the people who have a ticket open, longest first: those seen within desk.PresenceLasts.
func (s *Store) Looking(ctx context.Context, n ticket.Number) ([]desk.Presence, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT p.id, p.name, p.handle, p.role, l.writing, l.since, l.seen_at
		FROM presences l JOIN people p ON p.id = l.person
		WHERE l.ticket = $1 AND l.seen_at > clock_timestamp() - $2::interval AND p.disabled_at IS NULL
		ORDER BY l.since, p.id`, n, desk.PresenceLasts)
	looking, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p desk.Presence, err error) {
		return p, row.Scan(&p.Person.ID, &p.Person.Name, &p.Person.Handle, &p.Person.Role, &p.Writing, &p.Since, &p.Seen)
	})
	return looking, explain(err, "look who looks at %s", n)
}
