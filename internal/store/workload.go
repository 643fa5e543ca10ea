package store

import (
	"context"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
)

// Workload returns what waits to be done. It takes one round trip, and reads no more than desk.MostCounted entries of an index
// for each count.
func (s *Store) Workload(ctx context.Context) (w desk.Workload, err error) {
	batch := &pgx.Batch{}
	batch.Queue(withoutScans)
	for _, q := range workloadQueries(&w) {
		batch.Queue(q.sql, q.args...).QueryRow(func(row pgx.Row) error { return q.into.scan(row) })
	}
	batch.Queue(owedQuery, desk.MostCounted, desk.DeliveryAges[:]).Query(func(rows pgx.Rows) (err error) {
		w.Deliveries, err = collectOwed(rows)
		return err
	})
	batch.Queue(`
		SELECT verified_at IS NULL, total, notified, behind, CASE WHEN verified_at IS NULL THEN clock_timestamp() - began_at ELSE interval '0' END
		FROM fanouts ORDER BY transition_at DESC LIMIT 1`).Query(func(rows pgx.Rows) error {
		f := &w.Fanout
		_, err := pgx.ForEachRow(rows, []any{&f.Running, &f.Total, &f.Notified, &f.Behind, &f.For}, func() error { return nil })
		return err
	})
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return w, explain(err, "count what waits")
	}
	w.Workflows, err = s.Reconciliation(ctx)
	return w, err
}

// workloadQuery selects a count and the age of the oldest.
type workloadQuery struct {
	into *waiting
	sql  string
	args []any
}

// waiting is a desk.Waiting that is scanned from a count and an age, which is null if there is none.
type waiting desk.Waiting

func (w *waiting) scan(row pgx.Row) error {
	var oldest *time.Duration
	if err := row.Scan(&w.Count, &oldest); err != nil {
		return err
	}
	if oldest != nil {
		w.Oldest = max(*oldest, 0)
	}
	return nil
}

// counted returns a query that counts the rows of a table that meet a condition, and selects the age of since in the first of
// them in some order. The condition and the order are those of an index, in whose order they are counted: without one, PostgreSQL
// may read all of a table of which it expects most rows to be counted.
func counted(table, condition, order, since string) string {
	return `SELECT (SELECT count(*) FROM (SELECT FROM ` + table + ` WHERE ` + condition + ` ORDER BY ` + order + ` LIMIT $1) first),
		(SELECT clock_timestamp() - ` + since + ` FROM ` + table + ` WHERE ` + condition + ` ORDER BY ` + order + ` LIMIT 1)`
}

func workloadQueries(w *desk.Workload) []workloadQuery {
	const acceptance = `(SELECT accepted_at FROM commands c WHERE c.ticket = undelivered.ticket AND c.seq = undelivered.seq)`
	// Commands of imported tickets were decided where they come from: their rows only start workflows.
	const undecided = ` AND seq > (SELECT taken FROM tickets WHERE number = ticket)`
	// What is parked or held up by an incoming email is late on purpose; see WaitingMail.
	const overdue = `next_due < statement_timestamp() AND NOT EXISTS (SELECT FROM parked_steps p WHERE p.ticket = tickets.number)
		AND NOT EXISTS (SELECT FROM incoming_mails m WHERE m.thread = tickets.number AND m.thread <> '' AND m.status = 'received'
			AND m.received_at > clock_timestamp() - $2::interval AND date_trunc('second', m.received_at) < tickets.next_due)`
	limited := []any{desk.MostCounted}
	return []workloadQuery{
		{(*waiting)(&w.Submissions), counted("undelivered", `tries = 0 AND seq = 1 AND delivered_at IS NULL`+undecided, "id", acceptance), limited},
		{(*waiting)(&w.Commands), counted("undelivered", `tries = 0 AND seq > 1 AND delivered_at IS NULL`, "id", acceptance), limited},
		// Their order is that of the next attempts, so the oldest of a few is what can be known cheaply.
		{(*waiting)(&w.Retried), `SELECT count(*), clock_timestamp() - min(` + acceptance + `) FROM (
			SELECT ticket, seq FROM undelivered WHERE tries > 0 AND delivered_at IS NULL ORDER BY not_before LIMIT 1000) undelivered WHERE true` + undecided, nil},
		{(*waiting)(&w.Undecided), counted("undelivered", `delivered_at IS NOT NULL`+undecided, "delivered_at", "delivered_at"), limited},
		{(*waiting)(&w.Overdue), counted("tickets", overdue, "next_due, number", "next_due"), []any{desk.MostCounted, mailWait}},
		{(*waiting)(&w.Incoming), counted("incoming_mails", `status = 'received'`, "id", "received_at"), limited},
		{(*waiting)(&w.Quarantined), counted("incoming_mails", `status = 'quarantined'`, "status, id DESC", "received_at"), limited},
	}
}

// DatabaseSessions returns the sessions of PostgreSQL that wait. It reads no table, so that it answers while tables are locked.
func (s *Store) DatabaseSessions(ctx context.Context) (d desk.DatabaseSessions, err error) {
	batch := &pgx.Batch{}
	for _, q := range []workloadQuery{
		{(*waiting)(&d.Locked), `SELECT count(*), max(clock_timestamp() - query_start) FROM pg_stat_activity
			WHERE datname = current_database() AND wait_event_type = 'Lock'`, nil},
		{(*waiting)(&d.Idle), `SELECT count(*), max(clock_timestamp() - state_change) FROM pg_stat_activity
			WHERE datname = current_database() AND state IN ('idle in transaction', 'idle in transaction (aborted)')`, nil},
	} {
		batch.Queue(q.sql).QueryRow(func(row pgx.Row) error { return q.into.scan(row) })
	}
	return d, explain(s.pool.SendBatch(ctx, batch).Close(), "count sessions that wait")
}

// owedQuery counts the owed deliveries of each queue by age. Those of tickets are read by age, the others in the order in which
// they are tried. $1 limits how many are read of each queue.
const owedQuery = `
	SELECT queue, width_bucket(age, $2::interval[]), count(*), max(age) FROM (
		SELECT queue, clock_timestamp() - owed_at AS age FROM unnest(ARRAY['ticket', 'webhook']) queue CROSS JOIN LATERAL (
			SELECT owed_at FROM deliveries d WHERE d.queue = queue.queue AND status = 'owed' AND ticket IS NOT NULL ORDER BY owed_at LIMIT $1) first
		UNION ALL
		SELECT queue, clock_timestamp() - owed_at FROM unnest(ARRAY['account', 'announcement']) queue CROSS JOIN LATERAL (
			SELECT owed_at FROM deliveries d WHERE d.queue = queue.queue AND status = 'owed' AND ticket IS NULL ORDER BY not_before, n LIMIT $1) first
	) owed GROUP BY 1, 2`

// collectOwed returns the owed deliveries of every queue.
func collectOwed(rows pgx.Rows) ([]desk.OwedDeliveries, error) {
	queues := outbox.Queues()
	all := make([]desk.OwedDeliveries, len(queues))
	for i, q := range queues {
		all[i].Queue = string(q)
	}
	var (
		queue    outbox.Queue
		place, n int
		oldest   time.Duration
	)
	_, err := pgx.ForEachRow(rows, []any{&queue, &place, &n, &oldest}, func() error {
		o := &all[slices.Index(queues, queue)]
		o.Ages[place] = n
		o.Oldest = max(o.Oldest, oldest)
		return nil
	})
	return all, err
}

// PoolStats returns the state of the pool of connections.
func (s *Store) PoolStats() *pgxpool.Stat { return s.pool.Stat() }
