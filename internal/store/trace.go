package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// traceOf returns the trace to be stored with what happens in ctx; empty: none.
func (s *Store) traceOf(ctx context.Context) string {
	if s.trace == nil {
		return ""
	}
	return s.trace(ctx)
}

// maxTraces is one to continue and, of the others, as many as OpenTelemetry's SDK links to a span by default.
const maxTraces = 1 + 128

// CommandTraces returns the traces of a ticket's undecided commands up to a number, the last one first, at most maxTraces.
func (s *Store) CommandTraces(ctx context.Context, n ticket.Number, seq int64) ([]string, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.trace FROM commands c JOIN tickets t ON t.number = c.ticket
		WHERE c.ticket = $1 AND c.seq > t.taken AND c.seq <= $2 AND c.trace IS NOT NULL ORDER BY c.seq DESC LIMIT $3`, n, seq, maxTraces)
	traces, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return traces, explain(err, "read the traces of commands of %s", n)
}

// DeliveryTrace returns the trace of a delivery of a ticket; empty: it has none.
func (s *Store) DeliveryTrace(ctx context.Context, n ticket.Number, delivery int) (trace string, err error) {
	err = s.pool.QueryRow(ctx, `SELECT coalesce(trace, '') FROM deliveries WHERE ticket = $1 AND n = $2`, n, delivery).Scan(&trace)
	return trace, explain(missing(err, errNoDelivery), "read the trace of delivery %d of %s", delivery, n)
}

// QueueTrace returns the trace of a delivery of a queue without tickets; empty: it has none.
func (s *Store) QueueTrace(ctx context.Context, q outbox.Queue, n int64) (trace string, err error) {
	which, args := whereKey(outbox.Key{Queue: q, N: n}, pgx.StrictNamedArgs{})
	err = s.pool.QueryRow(ctx, `SELECT coalesce(trace, '') FROM deliveries WHERE `+which, args).Scan(&trace)
	return trace, explain(missing(err, errNoDelivery), "read the trace of %s delivery %d", q, n)
}

// EmergencyTrace returns the trace of the last change of an emergency up to a revision of the schedule; empty: it has none.
func (s *Store) EmergencyTrace(ctx context.Context, id ticket.EmergencyID, revision int64) (trace string, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT coalesce(trace, '') FROM emergency_changes WHERE emergency = $1 AND revision <= $2 ORDER BY revision DESC LIMIT 1`, id, revision).Scan(&trace)
	return trace, explain(missing(err, errNoEmergency), "read the trace of the emergency %s", id)
}
