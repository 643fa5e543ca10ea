package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// whereBehind selects the open tickets to which no step has applied the transition at $1. A ticket accepted after the
// transition needs no signal: its first step applies it, and its receipt mentions the emergency.
const whereBehind = `status <> 'closed' AND transitions_until < $1 AND NOT (taken = 0 AND submitted_at >= $1)`

// whereLate selects the open tickets that are not in the state that the emergency schedule requires from the transition at
// $1 on, where $2 says whether clocks are paused: those behind, and those to which the transition was applied and that are
// paused although they should not be, or the other way round.
const whereLate = `status <> 'closed' AND (` + whereBehind + ` OR transitions_until >= $1 AND (paused_by IS NOT NULL) <> $2)`

// firstLate returns the lowest numbers of late tickets, at most ticket.MaxLate.
func (s *Store) firstLate(ctx context.Context, transition time.Time, paused bool) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, `SELECT number FROM tickets WHERE `+whereLate+` ORDER BY number LIMIT $3`, transition, paused, ticket.MaxLate)
	return pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
}

// OpenBefore returns a page, ordered by number, of the open tickets that a transition's fan-out has yet to reach or has to
// reach again: at most limit of them, after a number.
func (s *Store) OpenBefore(ctx context.Context, transition time.Time, after ticket.Number, limit int) ([]ticket.Number, error) {
	schedule, err := s.Schedule(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, `SELECT number FROM tickets WHERE `+whereLate+` AND number > $3 ORDER BY number LIMIT $4`,
		transition, schedule.PausesAt(transition), after, limit)
	page, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return page, explain(err, "list the tickets behind a transition")
}

// StillBehind returns those of some tickets to which the transition at an instant is still to be applied.
func (s *Store) StillBehind(ctx context.Context, transition time.Time, some []ticket.Number) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, `SELECT number FROM tickets WHERE number = ANY ($2) AND `+whereBehind, transition, some)
	left, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return left, explain(err, "list the tickets behind a transition")
}

// countLate counts the tickets that a fan-out is not done with, and lists some if it has taken longer than
// ticket.FanoutTimeout.
func (s *Store) countLate(ctx context.Context, f *desk.Fanout) error {
	schedule, err := s.Schedule(ctx)
	if err != nil {
		return err
	}
	paused := schedule.PausesAt(f.Transition.At)
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM tickets WHERE `+whereLate, f.Transition.At, paused).Scan(&f.Behind)
	if err == nil && f.Behind > 0 && time.Since(f.Began) > ticket.FanoutTimeout {
		f.Late, err = s.firstLate(ctx, f.Transition.At, paused)
	}
	return explain(err, "count the tickets behind a transition")
}

// CountSignals adds to the number of signals sent for a transition.
func (s *Store) CountSignals(ctx context.Context, transition time.Time, sent int) error {
	_, err := s.pool.Exec(ctx, `UPDATE fanouts SET notified = notified + $2, updated_at = clock_timestamp() WHERE transition_at = $1`, transition, sent)
	return explain(err, "count the signals of a fan-out")
}

const fanoutColumns = `transition_at, verb, emergency, revision, total, notified, behind, began_at, updated_at, verified_at`

// LatestFanout returns the fan-out of the latest transition, and false if there was none. While it is not complete, the
// tickets that are left are counted now, and listed if it takes too long.
func (s *Store) LatestFanout(ctx context.Context) (desk.Fanout, bool, error) {
	f, err := s.fanout(ctx, `ORDER BY transition_at DESC LIMIT 1`)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Fanout{}, false, nil
	case err != nil:
		return desk.Fanout{}, false, explain(err, "read the last fan-out")
	case f.VerifiedAt.IsZero():
		err = s.countLate(ctx, &f)
	}
	return f, err == nil, err
}

// MeasuredFanout returns the last complete fan-out to at least so many tickets, from which durations can be estimated, and
// false if there was none.
func (s *Store) MeasuredFanout(ctx context.Context, least int) (desk.Fanout, bool, error) {
	f, err := s.fanout(ctx, `WHERE verified_at IS NOT NULL AND total >= $1 ORDER BY verified_at DESC LIMIT 1`, least)
	exists, err := found(err)
	return f, exists, explain(err, "read the last fan-out measured")
}

// fanout returns the first fan-out that a clause selects, and pgx.ErrNoRows if there is none.
func (s *Store) fanout(ctx context.Context, clause string, args ...any) (f desk.Fanout, err error) {
	err = s.pool.QueryRow(ctx, `SELECT `+fanoutColumns+` FROM fanouts `+clause, args...).
		Scan(&f.Transition.At, &f.Transition.Verb, &f.Transition.Emergency, &f.Revision, &f.Total, &f.Signaled, &f.Behind, &f.Began, &f.Updated, nullable(&f.VerifiedAt))
	return f, err
}

// PendingScheduleRevision returns the revision of the emergency schedule, and whether the emergency workflow has yet to be
// notified of it.
func (s *Store) PendingScheduleRevision(ctx context.Context) (revision int64, pending bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT revision, notified < revision FROM emergency_schedule`).Scan(&revision, &pending)
	return revision, pending, explain(err, "read the emergency schedule's revision")
}

// MarkScheduleNotified records the revision up to which the emergency workflow was notified.
func (s *Store) MarkScheduleNotified(ctx context.Context, revision int64) error {
	_, err := s.pool.Exec(ctx, `UPDATE emergency_schedule SET notified = $1 WHERE notified < $1 AND revision >= $1`, revision)
	return explain(err, "record that the emergency workflow was notified")
}

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

// VerifyFanout checks whether every open ticket is in the state that the emergency schedule requires since the latest
// transition, and records the result as the fan-out's progress. If another transition is reached or the schedule changes
// meanwhile, the result is Passed, is not recorded and proves nothing. Call Barrier after the transition first: otherwise a
// submission accepted before it could be committed after the check.
func (s *Store) VerifyFanout(ctx context.Context, transition ticket.Transition) (ticket.FanoutCheck, error) {
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
	return explain(err, "record the progress of a fan-out")
}
