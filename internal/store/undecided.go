package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Undecided gives what a person asked of a ticket and no step has taken yet, oldest first: their own only.
func (s *Store) Undecided(ctx context.Context, by desk.Person, n ticket.Number) ([]desk.Undecided, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT c.seq, c.verb, c.accepted_at AS at, coalesce(m.body, '') AS body
		FROM tickets t JOIN commands c ON c.ticket = t.number AND c.seq > t.taken LEFT JOIN messages m ON m.id = c.message
		WHERE t.number = $1 AND c.by_person = $2 ORDER BY c.seq`, n, by.ID)
	if err != nil {
		return nil, explain(err, "look for what %s has not decided", n)
	}
	undecided, err := pgx.CollectRows(rows, pgx.RowToStructByName[desk.Undecided])
	return undecided, explain(err, "look for what %s has not decided", n)
}
