package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoFilter = fault.New(fault.NotFound, "there is no such saved filter")

// Filters returns a person's own saved filters and all shared ones, by name.
func (s *Store) Filters(ctx context.Context, person ticket.PersonID) ([]desk.SavedFilter, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT f.id, f.name, f.query, f.shared, p.id, p.name, p.handle, p.role
		FROM saved_filters f JOIN people p ON p.id = f.author
		WHERE f.shared OR f.author = $1 ORDER BY lower(f.name), f.id`, person)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f desk.SavedFilter, err error) {
		return f, row.Scan(&f.ID, &f.Name, &f.Query, &f.Shared, &f.Author.ID, &f.Author.Name, &f.Author.Handle, &f.Author.Role)
	})
	return all, explain(err, "list the saved filters")
}

// AddFilter stores a saved filter and returns its ID.
func (s *Store) AddFilter(ctx context.Context, author ticket.PersonID, f desk.SavedFilter) (id int64, err error) {
	err = s.pool.QueryRow(ctx, `INSERT INTO saved_filters (author, shared, name, query) VALUES ($1, $2, $3, $4) RETURNING id`,
		author, f.Shared, f.Name, f.Query).Scan(&id)
	return id, explain(err, "keep a filter")
}

// UpdateFilter changes a saved filter except for its author. It returns NotFound if the editor may not change it.
func (s *Store) UpdateFilter(ctx context.Context, e app.Editor, f desk.SavedFilter) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE saved_filters SET shared = $4, name = $5, query = $6, changed_at = clock_timestamp()
		WHERE id = $1 AND (author = $2 OR shared AND $3)`,
		f.ID, e.Person, e.Shared, f.Shared, f.Name, f.Query)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoFilter
	}
	return explain(err, "change a saved filter")
}

// RemoveFilter deletes a saved filter. It returns NotFound if the editor may not change it.
func (s *Store) RemoveFilter(ctx context.Context, e app.Editor, id int64) error {
	tag, err := s.pool.Exec(ctx, `DELETE FROM saved_filters WHERE id = $1 AND (author = $2 OR shared AND $3)`, id, e.Person, e.Shared)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoFilter
	}
	return explain(err, "delete a saved filter")
}
