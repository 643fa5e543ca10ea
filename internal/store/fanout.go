package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// behind picks the open tickets that no step has taken past an edge, $1. One that was accepted after it needs nobody to
// tell it: its first step weaves the edge in, and its receipt has said so already.
const behind = `status <> 'closed' AND gate_at < $1 AND NOT (taken = 0 AND submitted_at >= $1)`

// OpenBefore gives a page, by number, of the open tickets behind an edge: at most limit of them, after a number.
func (s *Store) OpenBefore(ctx context.Context, edge time.Time, after ticket.Number, limit int) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE `+behind+` AND number > $2 ORDER BY number LIMIT $3`,
		edge, after, limit)
	if err != nil {
		return nil, explain(err, "list the tickets behind an edge")
	}
	page, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return page, explain(err, "list the tickets behind an edge")
}

// StillBehind gives those of some tickets that are behind an edge.
func (s *Store) StillBehind(ctx context.Context, edge time.Time, some []ticket.Number) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE number = ANY ($2) AND `+behind, edge, some)
	if err != nil {
		return nil, explain(err, "look which tickets are behind an edge")
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return left, explain(err, "look which tickets are behind an edge")
}

// Unproven counts the open tickets behind an edge.
func (s *Store) Unproven(ctx context.Context, edge time.Time) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM tickets WHERE `+behind, edge).Scan(&n)
	return n, explain(err, "count the tickets behind an edge")
}

// NoteTold adds to the signals sent for an edge.
func (s *Store) NoteTold(ctx context.Context, edge time.Time, told int) error {
	_, err := s.pool.Exec(ctx, `UPDATE fanouts SET told = told + $2, updated_at = clock_timestamp() WHERE edge_at = $1`, edge, told)
	return explain(err, "note how far a fan-out is")
}

const fanoutColumns = `edge_at, verb, emergency, revision, total, told, behind, began_at, updated_at, proven_at`

// LatestFanout gives the fan-out of the last edge, with its tickets behind counted now; false when there was none.
func (s *Store) LatestFanout(ctx context.Context) (desk.Fanout, bool, error) {
	f, err := s.fanout(ctx, `ORDER BY edge_at DESC LIMIT 1`)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Fanout{}, false, nil
	case err != nil:
		return desk.Fanout{}, false, explain(err, "read the last fan-out")
	case f.Proven.IsZero():
		f.Behind, err = s.Unproven(ctx, f.Edge.At)
	}
	return f, err == nil, err
}

// MeasuredFanout gives the last fan-out to at least so many tickets that was proven: what estimates can be taken from;
// false when there was none.
func (s *Store) MeasuredFanout(ctx context.Context, least int) (desk.Fanout, bool, error) {
	f, err := s.fanout(ctx, `WHERE proven_at IS NOT NULL AND total >= $1 ORDER BY proven_at DESC LIMIT 1`, least)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Fanout{}, false, nil
	}
	return f, err == nil, explain(err, "read the last fan-out measured")
}

func (s *Store) fanout(ctx context.Context, clause string, args ...any) (f desk.Fanout, err error) {
	var proven *time.Time
	err = s.pool.QueryRow(ctx, `SELECT `+fanoutColumns+` FROM fanouts `+clause, args...).
		Scan(&f.Edge.At, &f.Edge.Verb, &f.Edge.Emergency, &f.Revision, &f.Total, &f.Told, &f.Behind, &f.Began, &f.Updated, &proven)
	if proven != nil {
		f.Proven = *proven
	}
	return f, err
}

// UntoldGate gives the gate's revision while the workflow Emergency has not been told of it; false when it has.
func (s *Store) UntoldGate(ctx context.Context) (revision int64, untold bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT revision, told < revision FROM gate`).Scan(&revision, &untold)
	return revision, untold, explain(err, "look whether the gate was changed")
}

// GateTold notes up to which revision the workflow Emergency has been told.
func (s *Store) GateTold(ctx context.Context, revision int64) error {
	_, err := s.pool.Exec(ctx, `UPDATE gate SET told = $1 WHERE told < $1 AND revision >= $1`, revision)
	return explain(err, "note that the gate's change is told")
}
