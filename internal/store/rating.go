package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoRating = fault.New(fault.NotFound, "the ticket has not been rated")

// Rate stores the rating of a ticket by its requester and replaces an earlier one. It applies to the current assignee, also
// after the ticket is reassigned. rated is false unless by is the requester of the ticket and it is resolved, or was closed
// within desk.RatingTime; commands that no step has decided yet are not considered. It returns Limited if by has written too
// much lately.
func (s *Store) Rate(ctx context.Context, by desk.Person, r desk.Rating) (_ desk.Rating, rated bool, err error) {
	u, err := s.use(ctx, by, account.CommandLimit(by))
	if err != nil {
		return r, false, err
	}
	err = s.pool.QueryRow(ctx, `
		WITH rated AS (
			SELECT t.number, t.assignee FROM tickets t
			WHERE t.number = @number AND t.requester = @by AND t.status IN ('resolved', 'closed')
				AND NOT EXISTS (SELECT FROM events e
					WHERE e.ticket = t.number AND e.kind = 'closed' AND e.at < clock_timestamp() - @open::interval)
		), spent AS (`+spending(`EXISTS (SELECT FROM rated)`)+`)
		INSERT INTO ratings (ticket, agent, score, comment)
		SELECT number, assignee, @score, @comment FROM rated WHERE @allowance IS NULL OR EXISTS (SELECT FROM spent)
		ON CONFLICT (ticket) DO UPDATE SET
			agent = excluded.agent, score = excluded.score, comment = excluded.comment, at = excluded.at
		RETURNING at`,
		u.args(pgx.StrictNamedArgs{
			"number": r.Number, "by": by.ID, "score": r.Score, "comment": r.Comment, "open": desk.RatingTime,
		})).Scan(&r.At)
	if errors.Is(err, pgx.ErrNoRows) {
		return r, false, s.spent(ctx, u)
	}
	if err == nil {
		s.notifyChange(r.Number, desk.ChangeRated)
	}
	return r, err == nil, explain(err, "rate ticket %s", r.Number)
}

// Rating returns a ticket's rating to its requester or to staff. It returns NotFound if there is none, or to anyone else.
func (s *Store) Rating(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.Rating, error) {
	r := desk.Rating{Number: n}
	err := s.pool.QueryRow(ctx, `
		SELECT r.score, r.comment, r.at FROM ratings r JOIN tickets t ON t.number = r.ticket
		WHERE t.number = $1 AND ($2 OR t.requester = $3)`, n, viewer.Role.Staff(), viewer.ID).Scan(&r.Score, &r.Comment, &r.At)
	return r, explain(missing(err, errNoRating), "read the rating of %s", n)
}

// Ratings counts the ratings of a period by week, where weeks are the starts in ascending order. A rating counts for
// the assignee at the time it was given or last changed.
func (s *Store) Ratings(ctx context.Context, from, to time.Time, weeks []time.Time) ([]report.RatingCount, error) {
	begins, ends := weekSpans(from, to, weeks)
	rows, _ := s.pool.Query(ctx, `
		SELECT n.week, coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''), coalesce(a.role, ''), n.score, n.count
		FROM (
			SELECT w.n::int - 1 AS week, r.*
			FROM unnest(@begins::timestamptz[], @ends::timestamptz[]) WITH ORDINALITY AS w (begins, ends, n),
				LATERAL (SELECT agent, score, count(*) AS count FROM ratings WHERE at >= w.begins AND at < w.ends GROUP BY 1, 2) r
		) n LEFT JOIN people a ON a.id = n.agent`, pgx.StrictNamedArgs{"begins": begins, "ends": ends})
	cells, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c report.RatingCount, err error) {
		return c, row.Scan(&c.Week, &c.Agent.ID, &c.Agent.Name, &c.Agent.Handle, &c.Agent.Role, &c.Score, &c.Count)
	})
	return cells, explain(err, "count ratings")
}

// Comments returns the newest ratings of a period that have a comment, up to limit.
func (s *Store) Comments(ctx context.Context, from, to time.Time, limit int) ([]report.Comment, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT r.ticket, r.score, r.comment, r.at, m.subject, coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''),
			coalesce(a.role, '')
		FROM (
			SELECT * FROM ratings WHERE comment <> '' AND at >= $1 AND at < $2 ORDER BY at DESC, ticket LIMIT $3
		) r
		JOIN commands c ON c.ticket = r.ticket AND c.seq = 1
		JOIN messages m ON m.id = c.message
		LEFT JOIN people a ON a.id = r.agent
		ORDER BY r.at DESC, r.ticket`, from, to, limit)
	opinions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o report.Comment, err error) {
		return o, row.Scan(&o.Number, &o.Score, &o.Comment, &o.At, &o.Subject, &o.Agent.ID, &o.Agent.Name, &o.Agent.Handle, &o.Agent.Role)
	})
	return opinions, explain(err, "list comments")
}
