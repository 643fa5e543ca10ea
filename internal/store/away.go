package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// awayNow is since when a person p is away, and until when; both null for who is here, the end alone without one.
const awayNow = `CASE WHEN p.away_until > clock_timestamp() THEN p.away_since END,
	CASE WHEN p.away_until > clock_timestamp() THEN nullif(p.away_until, 'infinity') END`

// LeaveDesk marks a colleague, by handle or ID, as away until an instant, or until they are back with the zero one. Who
// is away already stays so since then. Supervisors may do it for others. It is Forbidden to everybody else, Invalid on
// "until" for an instant that has passed, and NotFound for nobody who works here.
func (s *Store) LeaveDesk(ctx context.Context, by desk.Person, whose string, until time.Time) (desk.Colleague, error) {
	var end any = "infinity"
	if !until.IsZero() {
		end = until.UTC()
	}
	c, err := s.markAway(ctx, by, whose, `UPDATE people p SET away_until = $2::timestamptz,
		away_since = CASE WHEN away_until > clock_timestamp() THEN away_since ELSE clock_timestamp() END
		WHERE id = $1 AND $2::timestamptz > clock_timestamp()`, end)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Colleague{}, fault.Field("until", "must be in the future")
	}
	return c, explain(err, "mark somebody as away")
}

// ReturnToDesk marks a colleague as back. The errors are LeaveDesk's.
func (s *Store) ReturnToDesk(ctx context.Context, by desk.Person, whose string) (desk.Colleague, error) {
	c, err := s.markAway(ctx, by, whose, `UPDATE people p SET away_since = NULL, away_until = NULL WHERE id = $1`)
	return c, explain(err, "mark somebody as back")
}

func (s *Store) markAway(ctx context.Context, by desk.Person, whose, statement string, args ...any) (desk.Colleague, error) {
	if !by.Role.Staff() {
		return desk.Colleague{}, errRole
	}
	person, err := s.staff(ctx, s.pool, whose)
	if err != nil {
		return desk.Colleague{}, err
	}
	if person.ID != by.ID && !by.Role.Commands() {
		return desk.Colleague{}, errRole
	}
	rows, err := s.pool.Query(ctx, statement+` RETURNING `+colleagueColumns, append([]any{person.ID}, args...)...)
	if err != nil {
		return desk.Colleague{}, err
	}
	return pgx.CollectExactlyOneRow(rows, colleague)
}

// colleagueColumns is a person p as colleague reads them.
const colleagueColumns = `p.id, p.name, p.handle, p.role,
	(SELECT count(*) FROM tickets WHERE assignee = p.id AND status IN ('new', 'open', 'waiting')), ` + awayNow

func colleague(row pgx.CollectableRow) (c desk.Colleague, err error) {
	var since, until *time.Time
	err = row.Scan(&c.ID, &c.Name, &c.Handle, &c.Role, &c.Load, &since, &until)
	c.Away = desk.Away{Since: orZero(since), Until: orZero(until)}
	return c, err
}

// Colleague finds somebody enabled who works here, by handle or ID. It is NotFound otherwise.
func (s *Store) Colleague(ctx context.Context, handleOrID string) (desk.Colleague, error) {
	rows, err := s.pool.Query(ctx, `SELECT `+colleagueColumns+` FROM people p
		WHERE p.role <> 'customer' AND p.disabled_at IS NULL AND (p.id = $1 OR lower(p.handle) = lower($1))`, handleOrID)
	if err != nil {
		return desk.Colleague{}, explain(err, "look for a colleague")
	}
	c, err := pgx.CollectExactlyOneRow(rows, colleague)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Colleague{}, errNobody
	}
	return c, explain(err, "look for a colleague")
}
