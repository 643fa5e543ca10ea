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

// writeCalls stores what the step's events owe to webhooks, numbered after a number.
func (l *locked) writeCalls(batch *pgx.Batch, after int) {
	for i, c := range l.calls {
		batch.Queue(`
			INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, rung, priority, broken_at, epoch)
			VALUES ('webhook', $1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			l.state.Ticket.Number, after+i+1, c.Event, c.Webhook, c.Clock, c.Rung, c.Priority, c.Broken, l.epoch)
	}
}

// giveUp lets the timeline tell of a webhook that could not be called, once.
func (l *locked) giveUp(ctx context.Context, n int) error {
	var webhook string
	err := l.tx.QueryRow(ctx, `
		UPDATE deliveries SET status = 'failed', reason = coalesce(reason, 'given up'), settled_at = coalesce(settled_at, clock_timestamp())
		WHERE ticket = $1 AND n = $2 AND queue = 'webhook' AND status <> 'sent' AND told IS NULL
		RETURNING webhook`, l.state.Ticket.Number, n).Scan(&webhook)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil
	}
	if err != nil {
		return err
	}
	result, err := ticket.GiveUp(l.state.Ticket, l.desk, n, webhook, l.now)
	if err == nil {
		l.add(result)
		l.told = append(l.told, told{n, l.state.Ticket.Events})
	}
	return err
}

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
	rows, err := s.pool.Query(ctx, `SELECT `+callColumns+` FROM deliveries c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.n = $2 AND c.queue = 'webhook'`, n, call)
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
	rows, err := s.pool.Query(ctx, `SELECT `+callColumns+` FROM deliveries c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.queue = 'webhook' ORDER BY c.n`, n)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, scanCall)
}
