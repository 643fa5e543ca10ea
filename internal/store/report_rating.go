package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/report"
)

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
