package store

import (
	"context"
	"errors"
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

// packLock is the advisory lock that the packing of a span holds, with the number of the span added: packing one twice at a time
// would delete the same rows of promise_changes.
const packLock = 0x7061636b << 32

// unpackedSpan is an SQL condition: a span was never packed, or the first of the changes since then was before a pause.
const unpackedSpan = `(NOT EXISTS (SELECT FROM promise_spans p WHERE p.span = s.span)
	OR EXISTS (SELECT FROM promise_changes c WHERE c.span = s.span AND c.changed_at < clock_timestamp() - @pause::interval))`

// PackPromises packs the SLA records of tickets that were submitted in the same four hours, so that reports on a million of
// them are quick: spans that have ended, and those with records that have changed since they were packed, the first of them before
// a pause. It packs so many at most in one call, and returns how many.
func (s *Store) PackPromises(ctx context.Context, pause time.Duration) (packed int, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT s.span FROM generate_series(
				(SELECT date_bin(@length::interval, min(submitted_at), '2000-01-01 00:00:00Z') FROM promises WHERE clock = @clock),
				clock_timestamp() - @length::interval, @length::interval) AS s (span)
		WHERE `+unpackedSpan+`
		ORDER BY s.span DESC LIMIT @limit`,
		pgx.StrictNamedArgs{"length": packSpan, "clock": policy.FirstResponse, "pause": pause, "limit": packBatch})
	spans, err := pgx.CollectRows(rows, pgx.RowTo[time.Time])
	if err != nil {
		return 0, explain(err, "look for promises to pack")
	}
	var failed []error // a span that can't be packed keeps none of the others from it
	for _, span := range spans {
		done, err := s.pack(ctx, span, pause)
		if err != nil {
			failed = append(failed, explain(err, "pack the promises of %s", span))
		}
		if done {
			packed++
		}
		if ctx.Err() != nil {
			break
		}
	}
	return packed, errors.Join(failed...)
}

// pack packs the records of a span, unless another process does or has done it.
func (s *Store) pack(ctx context.Context, span time.Time, pause time.Duration) (done bool, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		key := packLock + span.Unix()/int64(packSpan/time.Second)
		if err := tx.QueryRow(ctx, `SELECT pg_try_advisory_xact_lock($1)`, key).Scan(&done); err != nil || !done {
			return err
		}
		// Statements of their own, which see what was committed before the lock was granted.
		err := tx.QueryRow(ctx, `SELECT `+unpackedSpan+` FROM (VALUES (@span::timestamptz)) AS s (span)`,
			pgx.StrictNamedArgs{"span": span, "pause": pause}).Scan(&done)
		if err != nil || !done {
			return err
		}
		_, err = tx.Exec(ctx, packOneSpan, pgx.StrictNamedArgs{"span": span, "length": packSpan, "clocks": policy.ClockNames()})
		return err
	})
	return done, err
}

// packOneSpan is one statement, so that the changes that it deletes are exactly those whose results it packs.
var packOneSpan = `
	WITH changes AS (DELETE FROM promise_changes WHERE span = @span),
	packed AS (INSERT INTO promise_spans (span) VALUES (@span) ON CONFLICT DO NOTHING),
	records AS (
		SELECT clock, ` + packedRecords("taken") + ` AS taken, ` + packedRecords("counted") + ` AS counted
		FROM promises WHERE clock = ANY(@clocks) AND submitted_at >= @span AND submitted_at < @span + @length::interval GROUP BY clock),
	deleted AS (DELETE FROM promise_packs p WHERE span = @span AND NOT EXISTS (SELECT FROM records r WHERE r.clock = p.clock))
	INSERT INTO promise_packs (span, clock, taken, counted) SELECT @span, clock, taken, counted FROM records
	ON CONFLICT (clock, span) DO UPDATE SET taken = excluded.taken, counted = excluded.counted`
