package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoCanned = fault.New(fault.NotFound, "there is no such canned reply")

// Canned returns a person's own canned replies and all shared ones, by title.
func (s *Store) Canned(ctx context.Context, person ticket.PersonID) ([]desk.CannedReply, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.id, c.title, c.body, c.shared, p.id, p.name, p.handle, p.role
		FROM canned c JOIN people p ON p.id = c.author
		WHERE c.shared OR c.author = $1 ORDER BY lower(c.title), c.id`, person)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c desk.CannedReply, err error) {
		return c, row.Scan(&c.ID, &c.Title, &c.Body, &c.Shared, &c.Author.ID, &c.Author.Name, &c.Author.Handle, &c.Author.Role)
	})
	return all, explain(err, "list the canned replies")
}

// AddCanned stores a canned reply and returns its ID.
func (s *Store) AddCanned(ctx context.Context, author ticket.PersonID, c desk.CannedReply) (id int64, err error) {
	err = s.pool.QueryRow(ctx, `INSERT INTO canned (author, shared, title, body) VALUES ($1, $2, $3, $4) RETURNING id`,
		author, c.Shared, c.Title, c.Body).Scan(&id)
	return id, explain(err, "keep a canned reply")
}

// UpdateCanned changes a canned reply except for its author. It returns NotFound if the editor may not change it.
func (s *Store) UpdateCanned(ctx context.Context, e app.Editor, c desk.CannedReply) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE canned SET shared = $4, title = $5, body = $6, changed_at = clock_timestamp()
		WHERE id = $1 AND (author = $2 OR shared AND $3)`,
		c.ID, e.Person, e.Shared, c.Shared, c.Title, c.Body)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoCanned
	}
	return explain(err, "change a canned reply")
}

// RemoveCanned deletes a canned reply. It returns NotFound if the editor may not change it.
func (s *Store) RemoveCanned(ctx context.Context, e app.Editor, id int64) error {
	tag, err := s.pool.Exec(ctx, `DELETE FROM canned WHERE id = $1 AND (author = $2 OR shared AND $3)`, id, e.Person, e.Shared)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoCanned
	}
	return explain(err, "delete a canned reply")
}
