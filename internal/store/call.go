package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoCall = fault.New(fault.NotFound, "there is no such call of a webhook")

// callColumns is a call c of event e.
const callColumns = `c.ticket, c.n, c.event, c.epoch, c.webhook, c.clock, c.rung, c.priority, c.broken_at, e.at, e.recorded_at,
	c.status, c.owed_at, c.deferred_at, c.tries, coalesce(c.reason, ''), c.settled_at`

func scanCall(row pgx.CollectableRow) (c desk.Called, err error) {
	var deferred, settled *time.Time
	err = row.Scan(&c.Number, &c.N, &c.Event, &c.Epoch, &c.Webhook, &c.Clock, &c.Rung, &c.Priority, &c.Broken, &c.Due, &c.Fired,
		&c.Status, &c.Owed, &deferred, &c.Tries, &c.Reason, &settled)
	c.Deferred, c.Settled = orZero(deferred), orZero(settled)
	return c, err
}

// Call gives what a webhook is told, and what became of the call already. NotFound: no such call.
func (s *Store) Call(ctx context.Context, n ticket.Number, call int) (desk.Called, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+callColumns+` FROM calls c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.n = $2`, n, call)
	if err != nil {
		return desk.Called{}, explain(err, "load call %d of %s", call, n)
	}
	c, err := pgx.CollectExactlyOneRow(rows, scanCall)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Called{}, errNoCall
	}
	return c, explain(err, "load call %d of %s", call, n)
}

// called lists the webhooks of a ticket, in order.
func (s *Store) called(ctx context.Context, n ticket.Number) ([]desk.Called, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+callColumns+` FROM calls c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 ORDER BY c.n`, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanCall)
}

// CallMade notes that a webhook took a call. Noted twice, or of a call that was given up, it changes nothing.
func (s *Store) CallMade(ctx context.Context, n ticket.Number, call int) error {
	return s.settleCall(ctx, n, call, `status = 'sent', settled_at = clock_timestamp()`)
}

// CallFailed notes that a webhook refuses a call for good, and why: in words of ours, that quote nobody. The first end
// of a call stays. A step that is asked to puts it on the timeline.
func (s *Store) CallFailed(ctx context.Context, n ticket.Number, call int, reason string) error {
	return s.settleCall(ctx, n, call, `status = 'failed', settled_at = clock_timestamp(), tries = tries + 1,
		deferred_at = coalesce(deferred_at, clock_timestamp()), reason = $3`, storable(reason))
}

func (s *Store) settleCall(ctx context.Context, n ticket.Number, call int, set string, args ...any) error {
	tag, err := s.pool.Exec(ctx, `UPDATE calls SET `+set+` WHERE ticket = $1 AND n = $2 AND status = 'owed'`, append([]any{n, call}, args...)...)
	if err == nil && tag.RowsAffected() == 0 {
		_, err = s.Call(ctx, n, call)
		return err
	}
	if err == nil {
		s.announce(ctx, n, desk.ChangeMail)
	}
	return explain(err, "settle call %d of %s", call, n)
}

// CallPutOff notes a try that failed and is to be made again, and gives when the first one failed.
func (s *Store) CallPutOff(ctx context.Context, n ticket.Number, call int, reason string) (since time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE calls SET deferred_at = coalesce(deferred_at, clock_timestamp()),
			tries = tries + CASE status WHEN 'owed' THEN 1 ELSE 0 END, reason = CASE status WHEN 'owed' THEN $3 ELSE reason END
		WHERE ticket = $1 AND n = $2
		RETURNING deferred_at`, n, call, storable(reason)).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, errNoCall
	}
	if err == nil {
		s.announce(ctx, n, desk.ChangeMail)
	}
	return since, explain(err, "note that call %d of %s was put off", call, n)
}
