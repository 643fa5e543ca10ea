package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
)

const (
	packSpan  = 4 * time.Hour // of submissions; also in the migration of the packs
	packBatch = 100           // spans of one call
)

// packedRecords returns an SQL expression for the SLA records of a group of rows of promises as a byte string, see unpack.
func packedRecords(taken string) string {
	return `string_agg(int8send((charge::bigint << 40) | (sla_status::int::bigint << 32) | coalesce(` + taken + `::bigint, 4294967295)), '')`
}

// PackPromises packs the SLA records of tickets that were submitted in the same four hours, so that reports on a million of
// them are quick: spans that have ended, and those with records that have changed since they were packed, the first of them before
// a pause. It packs so many at most in one call, and returns how many.
func (s *Store) PackPromises(ctx context.Context, pause time.Duration) (packed int, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT begun.span FROM generate_series(
				(SELECT date_bin(@length::interval, min(submitted_at), '2000-01-01 00:00:00Z') FROM promises WHERE clock = @clock),
				clock_timestamp() - @length::interval, @length::interval) AS begun (span)
			LEFT JOIN promise_spans p ON p.span = begun.span
		WHERE p.span IS NULL OR p.stale_since < clock_timestamp() - @pause::interval
		ORDER BY begun.span DESC LIMIT @limit`,
		pgx.StrictNamedArgs{"length": packSpan, "clock": policy.FirstResponse, "pause": pause, "limit": packBatch})
	spans, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return 0, explain(err, "look for promises to pack")
	}
	for _, span := range spans {
		done, err := s.pack(ctx, span)
		if err != nil {
			return packed, explain(err, "pack the promises of %s", span)
		}
		if done {
			packed++
		}
	}
	return packed, nil
}

// pack packs the records of a span, unless one of them is being changed.
func (s *Store) pack(ctx context.Context, span time.Time) (done bool, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock(promise_span_lock($1))`, span).Scan(&done); err != nil || !done {
			return err
		}
		batch := &pgx.Batch{}
		batch.Queue(`INSERT INTO promise_spans (span) VALUES ($1) ON CONFLICT (span) DO UPDATE SET stale_since = NULL`, span)
		batch.Queue(`INSERT INTO promise_packs (span, clock, taken, counted)
			SELECT $1, clock, `+packedRecords("taken")+`, `+packedRecords("counted")+`
			FROM promises WHERE clock = ANY($2) AND submitted_at >= $1 AND submitted_at < $1 + $3::interval GROUP BY clock
			ON CONFLICT (clock, span) DO UPDATE SET taken = excluded.taken, counted = excluded.counted`, span, policy.ClockNames(), packSpan)
		// Of records that were deleted.
		batch.Queue(`DELETE FROM promise_packs p WHERE span = $1 AND NOT EXISTS (SELECT FROM promises
			WHERE clock = p.clock AND submitted_at >= $1 AND submitted_at < $1 + $2::interval)`, span, packSpan)
		return tx.SendBatch(ctx, batch).Close()
	})
	return done, err
}
