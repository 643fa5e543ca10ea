package store

import (
	"context"
	"maps"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// choicesLock is held by every step from the roster that it reads to its end, so that no two choose by the same turn or
// the same load. There is one for all groups: people are in several, and a step may come to more than one choice.
// It is the last lock that a step waits for.
const choicesLock = 0x63686f696365 // "choice"

// chosen lets the domain decide with the rosters that it turns out to need. What it decides without one is thrown
// away: the domain is pure, so nothing is lost by asking again.
func (l *locked) chosen(ctx context.Context, decide func(ticket.Desk) (ticket.Result, error)) (ticket.Result, error) {
	for {
		result, err := decide(l.desk)
		if err != nil || result.Lacks == "" {
			return result, err
		}
		if err := l.callRoll(ctx, result.Lacks); err != nil {
			return ticket.Result{}, err
		}
	}
}

// callRoll reads who of a group is there. The lock comes in a statement of its own: the next one sees what the step
// that held it before has written.
func (l *locked) callRoll(ctx context.Context, group string) error {
	if _, err := l.tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(choicesLock)); err != nil {
		return err
	}
	rows, err := l.tx.Query(ctx, `
		SELECT p.id, p.handle, (SELECT count(*) FROM tickets WHERE assignee = p.id AND status IN ('new', 'open', 'waiting')) AS load,
			coalesce(t.turn, 0) AS turn
		FROM people p LEFT JOIN group_turns t ON t.group_handle = @group AND t.person = p.id
		WHERE p.role <> 'customer' AND p.disabled_at IS NULL
			AND (p.away_until IS NULL OR p.away_until <= clock_timestamp())
			AND CASE WHEN @group = @everyone THEN p.role = 'agent'
				ELSE EXISTS (SELECT FROM group_members m WHERE m.group_handle = @group AND m.person = p.id) END
		ORDER BY p.id`, pgx.StrictNamedArgs{"group": group, "everyone": policy.Everyone})
	if err != nil {
		return err
	}
	present, err := pgx.CollectRows(rows, pgx.RowToStructByName[ticket.Candidate])
	if err != nil {
		return err
	}
	rosters := maps.Clone(l.desk.Rosters)
	if rosters == nil {
		rosters = ticket.Rosters{}
	}
	rosters[group] = present
	l.desk.Rosters = rosters
	return nil
}

// writeTurns records on whom choices fell. The lock that callRoll took makes the next number the highest.
func (l *locked) writeTurns(batch *pgx.Batch) {
	for _, e := range l.events {
		if e.Kind == ticket.EventAssigned && e.Group != "" {
			batch.Queue(`
				INSERT INTO group_turns (group_handle, person, turn)
				SELECT $1, $2, 1 + coalesce(max(turn), 0) FROM group_turns WHERE group_handle = $1
				ON CONFLICT ON CONSTRAINT group_turns_pkey DO UPDATE SET turn = excluded.turn`, e.Group, e.Assignee)
		}
	}
}
