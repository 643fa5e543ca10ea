package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Outlook gives what the gate holds now, by the database's clock.
func (s *Store) Outlook(ctx context.Context) (ticket.EmergencyOutlook, error) {
	gate, err := s.Schedule(ctx)
	if err != nil {
		return ticket.EmergencyOutlook{}, err
	}
	var now time.Time
	if err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		return ticket.EmergencyOutlook{}, explain(err, "read the clock")
	}
	return gate.Outlook(now), nil
}

// Prove says whether every open ticket is as the gate wants it at the last edge reached, and keeps what it found as the
// fan-out's progress. If another edge is reached by then, or the gate is changed meanwhile, the proof says Passed and is
// worth nothing. It follows a Barrier after the edge: else a submission accepted before the edge could come to light
// after it.
func (s *Store) Prove(ctx context.Context, edge ticket.Transition) (ticket.FanoutCheck, error) {
	gate, err := s.Schedule(ctx)
	if err != nil {
		return ticket.FanoutCheck{}, err
	}
	var p ticket.FanoutCheck
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE `+whereBehind+`), count(*) FILTER (WHERE gate_at >= $1 AND (held IS NOT NULL) <> $2)
		FROM tickets WHERE status <> 'closed'`, edge.At, gate.PausesAt(edge.At)).Scan(&p.Open, &p.Behind, &p.Wrong)
	if err != nil {
		return ticket.FanoutCheck{}, explain(err, "prove an edge")
	}
	if p.Left() > 0 {
		if p.Late, err = s.firstLate(ctx, edge.At, gate.PausesAt(edge.At)); err != nil {
			return ticket.FanoutCheck{}, explain(err, "name the tickets behind an edge")
		}
	}
	o, err := s.Outlook(ctx)
	if err != nil {
		return ticket.FanoutCheck{}, err
	}
	if o.Revision != gate.Revision || !o.Reached.At.Equal(edge.At) {
		p.Passed = true
		return p, nil
	}
	return p, s.recordCheck(ctx, edge, gate.Revision, p)
}

func (s *Store) recordCheck(ctx context.Context, edge ticket.Transition, revision int64, p ticket.FanoutCheck) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO fanouts (edge_at, verb, emergency, revision, total, behind, proven_at)
		VALUES (@at, @verb, @emergency, @revision, @left, @left, CASE WHEN @left::int = 0 THEN clock_timestamp() END)
		ON CONFLICT (edge_at) DO UPDATE SET revision = excluded.revision, behind = excluded.behind, updated_at = clock_timestamp(),
			proven_at = CASE WHEN excluded.behind = 0 THEN coalesce(fanouts.proven_at, clock_timestamp()) END`,
		pgx.StrictNamedArgs{
			"at": edge.At, "verb": edge.Verb, "emergency": edge.Emergency, "revision": revision, "left": p.Behind + p.Wrong,
		})
	return explain(err, "note how far a fan-out is")
}
