package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Outlook returns what the emergency schedule says now, by the database's clock.
func (s *Store) Outlook(ctx context.Context) (ticket.EmergencyOutlook, error) {
	schedule, err := s.Schedule(ctx)
	if err != nil {
		return ticket.EmergencyOutlook{}, err
	}
	var now time.Time
	if err := s.pool.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&now); err != nil {
		return ticket.EmergencyOutlook{}, explain(err, "read the clock")
	}
	return schedule.Outlook(now), nil
}

// Prove checks whether every open ticket is in the state that the emergency schedule requires since the latest transition,
// and records the result as the fan-out's progress. If another transition is reached or the schedule changes meanwhile, the
// result is Passed, is not recorded and proves nothing. Call Barrier after the transition first: otherwise a submission
// accepted before it could be committed after the check.
func (s *Store) Prove(ctx context.Context, transition ticket.Transition) (ticket.FanoutCheck, error) {
	schedule, err := s.Schedule(ctx)
	if err != nil {
		return ticket.FanoutCheck{}, err
	}
	var check ticket.FanoutCheck
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE `+whereBehind+`), count(*) FILTER (WHERE transitions_until >= $1 AND (paused_by IS NOT NULL) <> $2)
		FROM tickets WHERE status <> 'closed'`, transition.At, schedule.PausesAt(transition.At)).
		Scan(&check.Open, &check.Behind, &check.Wrong)
	if err != nil {
		return ticket.FanoutCheck{}, explain(err, "check a transition")
	}
	if check.Left() > 0 {
		if check.Late, err = s.firstLate(ctx, transition.At, schedule.PausesAt(transition.At)); err != nil {
			return ticket.FanoutCheck{}, explain(err, "name the tickets behind a transition")
		}
	}
	o, err := s.Outlook(ctx)
	if err != nil {
		return ticket.FanoutCheck{}, err
	}
	if o.Revision != schedule.Revision || !o.Reached.At.Equal(transition.At) {
		check.Passed = true
		return check, nil
	}
	return check, s.recordCheck(ctx, transition, schedule.Revision, check)
}

// recordCheck records a check as the progress of the transition's fan-out, which is complete once no ticket is left.
func (s *Store) recordCheck(ctx context.Context, transition ticket.Transition, revision int64, check ticket.FanoutCheck) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO fanouts (transition_at, verb, emergency, revision, total, behind, verified_at)
		VALUES (@at, @verb, @emergency, @revision, @left, @left, CASE WHEN @left::int = 0 THEN clock_timestamp() END)
		ON CONFLICT (transition_at) DO UPDATE SET revision = excluded.revision, behind = excluded.behind, updated_at = clock_timestamp(),
			verified_at = CASE WHEN excluded.behind = 0 THEN coalesce(fanouts.verified_at, clock_timestamp()) END`,
		pgx.StrictNamedArgs{
			"at": transition.At, "verb": transition.Verb, "emergency": transition.Emergency, "revision": revision,
			"left": check.Behind + check.Wrong,
		})
	return explain(err, "note how far a fan-out is")
}
