package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoCall = fault.New(fault.NotFound, "there is no such call of a webhook")

// callColumns selects from deliveries c and their events e what scanCall scans.
const callColumns = `c.ticket, c.n, c.event, c.epoch, c.webhook, c.clock, c.escalation_step, c.priority, c.breached_at, e.at, e.recorded_at,
	c.status, c.owed_at, c.deferred_at, c.tries, coalesce(c.reason, ''), c.settled_at`

func scanCall(row pgx.CollectableRow) (c desk.WebhookDelivery, err error) {
	err = row.Scan(&c.Number, &c.N, &c.Event, &c.Epoch, &c.Webhook, &c.Clock, &c.EscalationStep, &c.Priority, &c.Breached, &c.Due, &c.Fired,
		&c.Status, &c.Owed, nullable(&c.Deferred), &c.Tries, &c.Reason, nullable(&c.Settled))
	return c, err
}

// Call returns a webhook call with its data and its delivery status. It returns NotFound if there is none.
func (s *Store) Call(ctx context.Context, n ticket.Number, call int) (desk.WebhookDelivery, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+callColumns+` FROM deliveries c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.n = $2 AND c.queue = 'webhook'`, n, call)
	c, err := pgx.CollectExactlyOneRow(rows, scanCall)
	return c, explain(missing(err, errNoCall), "load call %d of %s", call, n)
}

// webhookCalls returns a ticket's webhook calls in order.
func (s *Store) webhookCalls(ctx context.Context, n ticket.Number) ([]desk.WebhookDelivery, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+callColumns+` FROM deliveries c JOIN events e ON e.ticket = c.ticket AND e.n = c.event
		WHERE c.ticket = $1 AND c.queue = 'webhook' ORDER BY c.n`, n)
	return pgx.CollectRows(rows, scanCall)
}
