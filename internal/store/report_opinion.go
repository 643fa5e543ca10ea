package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Ratings counts the ratings of a period, by the weeks that begin at the given instants, ascending. Each is of whoever
// had the ticket when it was given, or last changed.
func (s *Store) Ratings(ctx context.Context, from, to time.Time, weeks []time.Time) ([]desk.RatingCell, error) {
	begins, ends := spans(from, to, weeks)
	rows, err := s.pool.Query(ctx, `
		SELECT n.week, coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''), coalesce(a.role, ''), n.score, n.count
		FROM (
			SELECT w.n::int - 1 AS week, r.*
			FROM unnest(@begins::timestamptz[], @ends::timestamptz[]) WITH ORDINALITY AS w (begins, ends, n),
				LATERAL (SELECT agent, score, count(*) AS count FROM ratings WHERE at >= w.begins AND at < w.ends GROUP BY 1, 2) r
		) n LEFT JOIN people a ON a.id = n.agent`, pgx.StrictNamedArgs{"begins": begins, "ends": ends})
	if err != nil {
		return nil, explain(err, "count ratings")
	}
	cells, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c desk.RatingCell, err error) {
		return c, row.Scan(&c.Week, &c.Agent.ID, &c.Agent.Name, &c.Agent.Handle, &c.Agent.Role, &c.Score, &c.Count)
	})
	return cells, explain(err, "count ratings")
}

// Comments gives the newest ratings of a period that have words, of whom Ratings counts them.
func (s *Store) Comments(ctx context.Context, from, to time.Time, limit int) ([]desk.Opinion, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT r.ticket, r.score, r.comment, r.at, m.subject, coalesce(a.id, ''), coalesce(a.name, ''), coalesce(a.handle, ''),
			coalesce(a.role, '')
		FROM (
			SELECT * FROM ratings WHERE comment <> '' AND at >= $1 AND at < $2 ORDER BY at DESC, ticket LIMIT $3
		) r
		JOIN commands c ON c.ticket = r.ticket AND c.seq = 1
		JOIN messages m ON m.id = c.message
		LEFT JOIN people a ON a.id = r.agent
		ORDER BY r.at DESC, r.ticket`, from, to, limit)
	if err != nil {
		return nil, explain(err, "list comments")
	}
	opinions, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o desk.Opinion, err error) {
		return o, row.Scan(&o.Number, &o.Score, &o.Comment, &o.At, &o.Subject, &o.Agent.ID, &o.Agent.Name, &o.Agent.Handle, &o.Agent.Role)
	})
	return opinions, explain(err, "list comments")
}

// Suggestions lists the newest suggestions; only those that nobody has read, if asked for. It also gives how many nobody
// has read.
func (s *Store) Suggestions(ctx context.Context, unread bool, limit int) (all []desk.Suggestion, waiting int, err error) {
	rows, err := s.pool.Query(ctx, `
		SELECT s.id, s.body, s.at, s.read_at, coalesce(p.id, ''), coalesce(p.name, ''), coalesce(p.handle, ''), coalesce(p.role, '')
		FROM suggestions s LEFT JOIN people p ON p.id = s.person
		WHERE NOT $1 OR s.read_at IS NULL
		ORDER BY s.at DESC, s.id DESC LIMIT $2`, unread, limit)
	if err != nil {
		return nil, 0, explain(err, "list suggestions")
	}
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one desk.Suggestion, err error) {
		var from desk.Ref
		var read *time.Time
		err = row.Scan(&one.ID, &one.Body, &one.At, &read, &from.ID, &from.Name, &from.Handle, &from.Role)
		one.Read = orZero(read)
		if from.ID != "" {
			one.From = &from
		}
		return one, err
	})
	if err == nil {
		err = s.pool.QueryRow(ctx, `SELECT count(*) FROM suggestions WHERE read_at IS NULL`).Scan(&waiting)
	}
	return all, waiting, explain(err, "list suggestions")
}

// MarkSuggestion notes that a suggestion was read, or that it is to be read again. The first reading stays.
func (s *Store) MarkSuggestion(ctx context.Context, id int64, read bool) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE suggestions SET read_at = CASE WHEN $2 THEN coalesce(read_at, clock_timestamp()) END WHERE id = $1`, id, read)
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "there is no such suggestion")
	}
	return explain(err, "mark suggestion %d", id)
}
