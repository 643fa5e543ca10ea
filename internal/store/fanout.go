package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// whereBehind picks the open tickets that no step has taken past an edge, $1. One that was accepted after it needs nobody to
// tell it: its first step weaves the edge in, and its receipt has said so already.
const whereBehind = `status <> 'closed' AND gate_at < $1 AND NOT (taken = 0 AND submitted_at >= $1)`

// whereLate picks the open tickets that are not as the gate wants them at an edge, $1, which closes it or not, $2: those behind,
// and those that a step has taken past the edge and that are paused though the gate is open, or the other way.
const whereLate = `status <> 'closed' AND (` + whereBehind + ` OR gate_at >= $1 AND (held IS NOT NULL) <> $2)`

// firstLate gives the numbers of the first tickets that are late.
func (s *Store) firstLate(ctx context.Context, edge time.Time, closed bool) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE `+whereLate+` ORDER BY number LIMIT $3`, edge, closed, ticket.MaxLate)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
}

// OpenBefore gives a page, by number, of the open tickets that are not as the gate wants them at an edge: at most limit of
// them, after a number.
func (s *Store) OpenBefore(ctx context.Context, edge time.Time, after ticket.Number, limit int) ([]ticket.Number, error) {
	gate, err := s.Schedule(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE `+whereLate+` AND number > $3 ORDER BY number LIMIT $4`,
		edge, gate.PausesAt(edge), after, limit)
	if err != nil {
		return nil, explain(err, "list the tickets behind an edge")
	}
	page, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return page, explain(err, "list the tickets behind an edge")
}

// StillBehind gives those of some tickets that are behind an edge.
func (s *Store) StillBehind(ctx context.Context, edge time.Time, some []ticket.Number) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE number = ANY ($2) AND `+whereBehind, edge, some)
	if err != nil {
		return nil, explain(err, "look which tickets are behind an edge")
	}
	left, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return left, explain(err, "look which tickets are behind an edge")
}

// countLate counts the tickets that hold up a fan-out, and names some when it has lasted too long.
func (s *Store) countLate(ctx context.Context, f *desk.Fanout) error {
	gate, err := s.Schedule(ctx)
	if err != nil {
		return err
	}
	closed := gate.PausesAt(f.Transition.At)
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM tickets WHERE `+whereLate, f.Transition.At, closed).Scan(&f.Behind)
	if err == nil && f.Behind > 0 && time.Since(f.Began) > ticket.FanoutTimeout {
		f.Late, err = s.firstLate(ctx, f.Transition.At, closed)
	}
	return explain(err, "count the tickets behind an edge")
}

// NoteTold adds to the signals sent for an edge.
func (s *Store) NoteTold(ctx context.Context, edge time.Time, told int) error {
	_, err := s.pool.Exec(ctx, `UPDATE fanouts SET told = told + $2, updated_at = clock_timestamp() WHERE edge_at = $1`, edge, told)
	return explain(err, "note how far a fan-out is")
}

const fanoutColumns = `edge_at, verb, emergency, revision, total, told, behind, began_at, updated_at, proven_at`

// LatestFanout gives the fan-out of the last edge, with its tickets behind counted, and named if it takes too long, now;
// false when there was none.
func (s *Store) LatestFanout(ctx context.Context) (desk.Fanout, bool, error) {
	f, err := s.fanout(ctx, `ORDER BY edge_at DESC LIMIT 1`)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Fanout{}, false, nil
	case err != nil:
		return desk.Fanout{}, false, explain(err, "read the last fan-out")
	case f.Proven.IsZero():
		err = s.countLate(ctx, &f)
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
		Scan(&f.Transition.At, &f.Transition.Verb, &f.Transition.Emergency, &f.Revision, &f.Total, &f.Told, &f.Behind, &f.Began, &f.Updated, &proven)
	if proven != nil {
		f.Proven = *proven
	}
	return f, err
}

// PendingScheduleRevision returns the revision of the emergency schedule, and whether the emergency workflow has yet to be
// notified of it.
func (s *Store) PendingScheduleRevision(ctx context.Context) (revision int64, pending bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT revision, told < revision FROM gate`).Scan(&revision, &pending)
	return revision, pending, explain(err, "read the emergency schedule's revision")
}

// MarkScheduleNotified records the revision up to which the emergency workflow was notified.
func (s *Store) MarkScheduleNotified(ctx context.Context, revision int64) error {
	_, err := s.pool.Exec(ctx, `UPDATE gate SET told = $1 WHERE told < $1 AND revision >= $1`, revision)
	return explain(err, "record that the emergency workflow was notified")
}
