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

// Unrecordable implements app.StepStore: PostgreSQL refuses the data. The trigger that compares a row with its state is
// not among the reasons: if it refuses, the step itself is wrong, which no refusal of a command may hide.
func (s *Store) Unrecordable(err error) (reason string, ok bool) {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code[:2] != "22" && pg.Code[:2] != "23" || pg.ConstraintName == "tickets_row_is_state" {
		return "", false
	}
	return "SQLSTATE " + pg.Code + " " + pg.ConstraintName, true
}

// parkedColumn is a ticket.Parked of ticket t, null without one.
const parkedColumn = `(SELECT jsonb_build_object('since', since, 'retry', retry_at, 'reason', reason) FROM parked_steps WHERE ticket = t.number)`

// Park implements app.StepStore.
func (s *Store) Park(ctx context.Context, p app.ParkRequest) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO parked_steps (ticket, retry_at, reason) VALUES ($1, clock_timestamp() + $3::interval, $2)
		ON CONFLICT (ticket) DO UPDATE SET reason = excluded.reason, tries = parked_steps.tries + 1,
			retry_at = clock_timestamp() + least((parked_steps.tries + 1) * $3::interval, $4::interval)
			WHERE parked_steps.retry_at <= clock_timestamp()`, p.Number, p.Reason, p.Delay, p.MaxDelay)
	return explain(err, "park ticket %s", p.Number)
}

// Parked lists the tickets of which something can't be recorded, the longest first, at most limit.
func (s *Store) Parked(ctx context.Context, limit int) ([]ParkedStep, error) {
	rows, err := s.pool.Query(ctx, `SELECT ticket AS number, since, retry_at AS retry, tries, reason FROM parked_steps ORDER BY since LIMIT $1`, limit)
	if err != nil {
		return nil, explain(err, "list what is parked")
	}
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ParkedStep])
	return all, explain(err, "list what is parked")
}

// ParkedStep is a ticket of which something can't be recorded.
type ParkedStep struct {
	Number ticket.Number
	Since  time.Time
	Retry  time.Time // not before
	Tries  int
	Reason string
}
