package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// absenceColumns selects when the absence of a person p began and when it ends. Both are null for a person who is
// present; only the end is null for one whose absence has no planned end.
const absenceColumns = `CASE WHEN p.away_until > clock_timestamp() THEN p.away_since END,
	CASE WHEN p.away_until > clock_timestamp() THEN nullif(p.away_until, 'infinity') END`

// MarkAway marks a person as away until an instant; zero means until MarkBack is called. It returns false if until has
// passed. The start of an absence that is already running is kept.
func (s *Store) MarkAway(ctx context.Context, person ticket.PersonID, until time.Time) (c desk.Colleague, marked bool, err error) {
	var end any = "infinity"
	if !until.IsZero() {
		end = until.UTC()
	}
	c, err = s.oneColleague(ctx, `UPDATE people p SET away_until = $2::timestamptz,
		away_since = CASE WHEN away_until > clock_timestamp() THEN away_since ELSE clock_timestamp() END
		WHERE id = $1 AND $2::timestamptz > clock_timestamp() RETURNING `+colleagueColumns, person, end)
	marked, err = found(err)
	return c, marked, explain(err, "mark a person as away")
}

// MarkBack ends a person's absence.
func (s *Store) MarkBack(ctx context.Context, person ticket.PersonID) (desk.Colleague, error) {
	c, err := s.oneColleague(ctx, `UPDATE people p SET away_since = NULL, away_until = NULL WHERE id = $1 RETURNING `+colleagueColumns, person)
	return c, explain(err, "mark a person as back")
}

// colleagueColumns selects from people p what scanColleague scans.
const colleagueColumns = `p.id, p.name, p.handle, p.role,
	(SELECT count(*) FROM tickets WHERE assignee = p.id AND status IN ('new', 'open', 'waiting')), ` + absenceColumns

func scanColleague(row pgx.CollectableRow) (c desk.Colleague, err error) {
	return c, row.Scan(&c.ID, &c.Name, &c.Handle, &c.Role, &c.Load, nullable(&c.Away.Since), nullable(&c.Away.Until))
}

// Colleague returns a member of staff who is not disabled, by handle or ID. It returns NotFound otherwise.
func (s *Store) Colleague(ctx context.Context, handleOrID string) (desk.Colleague, error) {
	c, err := s.oneColleague(ctx, `SELECT `+colleagueColumns+` FROM people p
		WHERE p.role <> 'customer' AND p.disabled_at IS NULL AND (p.id = $1 OR lower(p.handle) = lower($1))`, handleOrID)
	return c, explain(missing(err, errNobody), "look for a colleague")
}

func (s *Store) oneColleague(ctx context.Context, statement string, args ...any) (desk.Colleague, error) {
	rows, _ := s.pool.Query(ctx, statement, args...)
	return pgx.CollectExactlyOneRow(rows, scanColleague)
}
