package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ClaimReplacing takes the work that RaiseEpoch left for one process, or renews that, and reports whether it could: not
// while another's claim has not run out, and not when there is nothing to do. It says how far the work is in any case.
func (s *Store) ClaimReplacing(ctx context.Context, process string, lasts time.Duration) (r desk.Replacing, ours bool, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH claim AS (
			UPDATE epoch SET claimed_by = $1, claimed_until = clock_timestamp() + $2
			WHERE number > 0 AND replaced_at IS NULL AND (claimed_by IS NULL OR claimed_by = $1 OR claimed_until < clock_timestamp())
			RETURNING 1)
		SELECT number, (SELECT count(*) FROM replacements), number = 0 OR replaced_at IS NOT NULL, EXISTS (SELECT FROM claim)
		FROM epoch`, process, lasts).Scan(&r.Epoch, &r.Left, &r.Over, &ours)
	return r, ours, explain(err, "claim the replacing of workflows")
}

// ReleaseReplacing ends a process's claim, if it still has one.
func (s *Store) ReleaseReplacing(ctx context.Context, process string) error {
	_, err := s.pool.Exec(ctx, `UPDATE epoch SET claimed_by = NULL, claimed_until = NULL WHERE claimed_by = $1`, process)
	return explain(err, "release the replacing of workflows")
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
		UPDATE epoch SET replaced_at = clock_timestamp(), claimed_by = NULL, claimed_until = NULL
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

// lookAtEpoch is how often WatchEpoch looks.
const lookAtEpoch = 5 * time.Second

// WatchEpoch returns ErrRestored when the epoch is another one than when it was called, and nil when ctx ends before.
func (s *Store) WatchEpoch(ctx context.Context) error {
	look := time.NewTicker(lookAtEpoch)
	defer look.Stop()
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
		select {
		case <-ctx.Done():
			return nil
		case <-look.C:
		}
	}
}
