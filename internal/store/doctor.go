package store

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// IdleSessions returns the PostgreSQL sessions that have been idle in a transaction for more than a duration, longest
// first. Sessions of other users are visible only to superusers and members of pg_monitor.
func (s *Store) IdleSessions(ctx context.Context, longer time.Duration) ([]desk.IdleSession, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT pid, coalesce(usename, ''), coalesce(host(client_addr), ''), application_name, state_change, clock_timestamp() - state_change
		FROM pg_stat_activity
		WHERE datname = current_database() AND state IN ('idle in transaction', 'idle in transaction (aborted)')
			AND state_change < clock_timestamp() - $1::interval
		ORDER BY state_change, pid`, longer)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[desk.IdleSession])
	return all, explain(err, "list idle transactions")
}

// TableLocks returns the locks of tables that keep others from writing, held by transactions that began more than a duration ago
// or whose beginning this user may not see. It reads no table that can be locked.
func (s *Store) TableLocks(ctx context.Context, longer time.Duration) ([]desk.TableLock, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT relname, bool_or(mode = 'AccessExclusiveLock'), pid, coalesce(usename, ''), coalesce(host(client_addr), ''), coalesce(application_name, ''),
			coalesce(clock_timestamp() - xact_start, interval '0')
		FROM pg_locks l JOIN pg_class c ON c.oid = relation JOIN pg_stat_activity a USING (pid)
		WHERE locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
			AND granted AND relkind IN ('r', 'p') AND relnamespace <> 'pg_catalog'::regnamespace
			AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
			AND (xact_start IS NULL OR xact_start < clock_timestamp() - $1::interval)
		GROUP BY relname, pid, usename, client_addr, application_name, xact_start
		ORDER BY xact_start, pid, relname`, longer)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByPos[desk.TableLock])
	return all, explain(err, "list locked tables")
}

// Backlog counts the commands that were accepted longer than patience ago and have not been delivered to a workflow. Those of
// imported tickets, which were decided where they come from, don't count.
func (s *Store) Backlog(ctx context.Context, patience time.Duration) (b desk.Backlog, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), coalesce(clock_timestamp() - min(c.accepted_at), interval '0')
		FROM undelivered u JOIN commands c ON c.ticket = u.ticket AND c.seq = u.seq JOIN tickets ON number = u.ticket AND u.seq > taken
		WHERE u.delivered_at IS NULL AND c.accepted_at < statement_timestamp() - $1::interval`, patience).Scan(&b.Commands, &b.Oldest)
	return b, explain(err, "count the commands that wait")
}

// consistencyRow is a ticket's row with the counts and the timeline that it must agree with.
type consistencyRow struct {
	Number    ticket.Number
	Requester ticket.PersonID
	Policy    int64
	State     []byte
	Events    int
	Taken     int64
	Commands  int64
	Accepted  int64 // rows of commands
	Decided   int64 // rows of outcomes
	Mails     int
	Owed      int               // rows of deliveries
	In        []ticket.PersonID // rows of participants, by ID
	Timeline  []byte
	stateColumns
}

// Disagreements compares up to limit tickets numbered above after, in order, with the state computed from their
// timelines and with the number of their commands, outcomes and deliveries, all in one snapshot. It returns the tickets
// that differ, how many were compared, and the number of the last.
func (s *Store) Disagreements(ctx context.Context, after ticket.Number, limit int) (found []desk.Disagreement, compared int, last ticket.Number, err error) {
	err = pgx.BeginTxFunc(ctx, s.pool, pgx.TxOptions{IsoLevel: pgx.RepeatableRead, AccessMode: pgx.ReadOnly}, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `
			SELECT number, requester, policy, state, events, taken, last_command AS commands, mails,
				(SELECT count(*) FROM commands c WHERE c.ticket = number) AS accepted,
				(SELECT count(*) FROM outcomes o WHERE o.ticket = number) AS decided,
				(SELECT count(*) FROM deliveries m WHERE m.ticket = number) AS owed,
				ARRAY(SELECT person FROM participants p WHERE p.ticket = number ORDER BY person) AS in,
				(SELECT coalesce(jsonb_agg(e.data ORDER BY e.n), '[]') FROM events e WHERE e.ticket = number) AS timeline,
				status, priority, category, coalesce(assignee, '') AS assignee, nullif(next_due, 'infinity') AS next_due,
				nullif(promise_due, 'infinity') AS promise_due, nullif(owed_at, 'infinity') AS owed_at, breached, escalation_step,
				coalesce(paused_by, '') AS paused_by, snoozed_until
			FROM tickets WHERE number > $1 ORDER BY number LIMIT $2`, after, limit)
		page, err := pgx.CollectRows(rows, pgx.RowToStructByName[consistencyRow])
		if err != nil {
			return err
		}
		for _, row := range page {
			says, err := s.inconsistency(ctx, tx, row)
			if err != nil {
				return fmt.Errorf("ticket %s: %w", row.Number, err)
			}
			if says != "" {
				found = append(found, desk.Disagreement{Number: row.Number, Says: says})
			}
			last = row.Number
		}
		compared = len(page)
		return nil
	})
	return found, compared, last, explain(err, "compare the tickets with their timelines")
}

// inconsistency describes what is inconsistent in a ticket, and returns an empty string if nothing is.
func (s *Store) inconsistency(ctx context.Context, q querier, r consistencyRow) (string, error) {
	var timeline []ticket.Event
	if err := json.Unmarshal(r.Timeline, &timeline); err != nil {
		return "its timeline can't be read: " + err.Error(), nil //nolint:nilerr // it is the finding
	}
	switch {
	case r.Events != len(timeline):
		return fmt.Sprintf("its row counts %d events and its timeline has %d", r.Events, len(timeline)), nil
	case r.Accepted != r.Commands:
		return fmt.Sprintf("its row counts %d commands and there are %d", r.Commands, r.Accepted), nil
	case r.Decided != r.Taken:
		return fmt.Sprintf("%d commands are decided and %d outcomes are on record", r.Taken, r.Decided), nil
	case r.Mails != r.Owed:
		return fmt.Sprintf("its row counts %d mails and calls and there are %d", r.Mails, r.Owed), nil
	case r.State == nil:
		return "", nil
	}
	p, err := s.policy(ctx, q, r.Policy)
	if err != nil {
		return "", err
	}
	fold := ticket.Draft(r.Number, ticket.FirstRequester(r.Requester, timeline), r.Policy, p)
	for i, e := range timeline {
		if e.N != i+1 {
			return fmt.Sprintf("line %d of its timeline has number %d", i+1, e.N), nil
		}
		fold = ticket.Apply(fold, e)
	}
	return stateMismatch(r, fold)
}

// stateMismatch compares the JSON of a stored state with that of the state computed from the timeline, and the columns
// that repeat it with the state.
func stateMismatch(r consistencyRow, fold ticket.Ticket) (string, error) {
	var state ticket.State
	if err := json.Unmarshal(r.State, &state); err != nil {
		return "its state can't be read: " + err.Error(), nil //nolint:nilerr // it is the finding
	}
	row, err := json.Marshal(state.Ticket)
	if err != nil {
		return "", err
	}
	want, err := json.Marshal(fold)
	switch {
	case err != nil:
		return "", err
	case !bytes.Equal(row, want):
		return "its row is not the fold of its timeline", nil
	case !slices.Equal(r.In, participantIDs(state.Ticket)):
		return "its participants are not those of its state", nil
	case r.inUTC() != columnsOf(state).inUTC():
		return "the columns of its row are not those of its state", nil
	}
	return "", nil
}

// participantIDs returns the IDs of a ticket's participants in order.
func participantIDs(t ticket.Ticket) []ticket.PersonID {
	var ids []ticket.PersonID
	for _, p := range t.Participants {
		ids = append(ids, p.ID)
	}
	slices.Sort(ids)
	return ids
}

// inUTC returns the columns with comparable times.
func (c stateColumns) inUTC() stateColumns {
	for _, at := range []*instant{&c.NextDue, &c.PromiseDue, &c.OwedAt, &c.SnoozedUntil} {
		*at = instant(time.Time(*at).UTC())
	}
	return c
}
