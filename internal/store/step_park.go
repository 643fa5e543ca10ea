package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Unrecordable implements app.StepStore. It reports whether PostgreSQL refused the data, by class 22 or 23 of SQLSTATE.
// A violation of tickets_row_is_state is not reported: it means that the step itself is wrong, which refusing a command
// would hide.
func (s *Store) Unrecordable(err error) (reason string, ok bool) {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code[:2] != "22" && pg.Code[:2] != "23" || pg.ConstraintName == "tickets_row_is_state" {
		return "", false
	}
	return "SQLSTATE " + pg.Code + " " + pg.ConstraintName, true
}

// parkedColumn is the ticket.Parked of ticket t as JSON; null if it isn't parked.
const parkedColumn = `(SELECT jsonb_build_object('since', since, 'retry', retry_at, 'reason', reason) FROM parked_steps WHERE ticket = t.number)`

// Park implements app.StepStore. Each further attempt lengthens the delay by p.Delay, up to p.MaxDelay.
func (s *Store) Park(ctx context.Context, p app.ParkRequest) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO parked_steps (ticket, retry_at, reason) VALUES ($1, clock_timestamp() + $3::interval, $2)
		ON CONFLICT (ticket) DO UPDATE SET reason = excluded.reason, tries = parked_steps.tries + 1,
			retry_at = clock_timestamp() + least((parked_steps.tries + 1) * $3::interval, $4::interval)
			WHERE parked_steps.retry_at <= clock_timestamp()`, p.Number, p.Reason, p.Delay, p.MaxDelay)
	return explain(err, "park ticket %s", p.Number)
}

// Parked returns the tickets whose step can't be recorded, the longest parked first, at most limit.
func (s *Store) Parked(ctx context.Context, limit int) ([]ParkedStep, error) {
	rows, _ := s.pool.Query(ctx, `SELECT ticket AS number, since, retry_at AS retry, tries, reason FROM parked_steps ORDER BY since LIMIT $1`, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ParkedStep])
	return all, explain(err, "list what is parked")
}

// ParkedStep is a ticket whose step can't be recorded.
type ParkedStep struct {
	Number ticket.Number
	Since  time.Time
	Retry  time.Time // not before
	Tries  int
	Reason string
}
