package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Replacing returns how far the replacement of workflows that RaiseEpoch listed is.
func (s *Store) Replacing(ctx context.Context) (r desk.Replacing, err error) {
	err = s.pool.QueryRow(ctx, `SELECT number, (SELECT count(*) FROM replacements), number = 0 OR replaced_at IS NOT NULL FROM epoch`).
		Scan(&r.Epoch, &r.Left, &r.Over)
	return r, explain(err, "look how far the replacing of workflows is")
}

// ToReplace returns a page of the workflows still to be replaced, ordered by ID: at most limit of them, after one.
func (s *Store) ToReplace(ctx context.Context, after string, limit int) ([]string, error) {
	rows, _ := s.pool.Query(ctx, `SELECT workflow FROM replacements WHERE workflow > $1 ORDER BY workflow LIMIT $2`, after, limit)
	workflows, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return workflows, explain(err, "list the workflows to replace")
}

// Replaced records that a workflow was replaced. It does nothing if another epoch has begun since.
func (s *Store) Replaced(ctx context.Context, epoch int64, workflow string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM replacements WHERE workflow = $2 AND (SELECT number FROM epoch) = $1`, epoch, workflow)
	return explain(err, "note that workflow %s was replaced", workflow)
}

// ReplacingOver records that an epoch's workflows are all replaced, if none is left.
func (s *Store) ReplacingOver(ctx context.Context, epoch int64) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE epoch SET replaced_at = clock_timestamp()
		WHERE number = $1 AND NOT EXISTS (SELECT FROM replacements)`, epoch)
	return explain(err, "note that all workflows are replaced")
}

// Unknown returns those of some numbers for which there is no ticket.
func (s *Store) Unknown(ctx context.Context, some []ticket.Number) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT number FROM unnest($1::text[]) number WHERE NOT EXISTS (SELECT FROM tickets t WHERE t.number = number.number)`, some)
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return unknown, explain(err, "look which tickets there are")
}

// epochInterval is the time between WatchEpoch's queries.
const epochInterval = 5 * time.Second

// WatchEpoch returns ErrRestored once the epoch differs from that at the time of the call, and nil if ctx ends first.
func (s *Store) WatchEpoch(ctx context.Context) error {
	for began := int64(-1); ; {
		var now int64
		err := s.pool.QueryRow(ctx, `SELECT number FROM epoch`).Scan(&now)
		switch {
		case err != nil: // the database is unavailable; what comes back may be a copy
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
