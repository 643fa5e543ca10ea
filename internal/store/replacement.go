package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Replacing says how far the work is that RaiseEpoch left.
func (s *Store) Replacing(ctx context.Context) (r desk.Replacing, err error) {
	err = s.pool.QueryRow(ctx, `SELECT number, (SELECT count(*) FROM replacements), number = 0 OR replaced_at IS NOT NULL FROM epoch`).
		Scan(&r.Epoch, &r.Left, &r.Over)
	return r, explain(err, "look how far the replacing of workflows is")
}

// ToReplace lists workflows that are still to be replaced, in order after one.
func (s *Store) ToReplace(ctx context.Context, after string, limit int) ([]string, error) {
	rows, err := s.pool.Query(ctx, `SELECT workflow FROM replacements WHERE workflow > $1 ORDER BY workflow LIMIT $2`, after, limit)
	if err != nil {
		return nil, explain(err, "list the workflows to replace")
	}
	workflows, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return workflows, explain(err, "list the workflows to replace")
}

// Replaced notes that a workflow was replaced, unless another epoch has begun since.
func (s *Store) Replaced(ctx context.Context, epoch int64, workflow string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM replacements WHERE workflow = $2 AND (SELECT number FROM epoch) = $1`, epoch, workflow)
	return explain(err, "note that workflow %s was replaced", workflow)
}

// ReplacingOver notes that nothing of an epoch is left to do, if that is so.
func (s *Store) ReplacingOver(ctx context.Context, epoch int64) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE epoch SET replaced_at = clock_timestamp()
		WHERE number = $1 AND NOT EXISTS (SELECT FROM replacements)`, epoch)
	return explain(err, "note that all workflows are replaced")
}

// Unknown returns those of some numbers that are no ticket's here.
func (s *Store) Unknown(ctx context.Context, some []ticket.Number) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT number FROM unnest($1::text[]) number WHERE NOT EXISTS (SELECT FROM tickets t WHERE t.number = number.number)`, some)
	if err != nil {
		return nil, explain(err, "look which tickets there are")
	}
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return unknown, explain(err, "look which tickets there are")
}

// epochInterval is how often WatchEpoch looks.
const epochInterval = 5 * time.Second

// WatchEpoch returns ErrRestored when the epoch is another one than when it was called, and nil when ctx ends before.
func (s *Store) WatchEpoch(ctx context.Context) error {
	for began := int64(-1); ; {
		var now int64
		err := s.pool.QueryRow(ctx, `SELECT number FROM epoch`).Scan(&now)
		switch {
		case err != nil: // the database is away; what comes back may be a copy
		case began < 0:
			began = now
		case now != began:
			return ErrRestored
		}
		if !loop.Sleep(ctx, epochInterval) {
			return nil
		}
	}
}
