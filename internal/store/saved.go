package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

var errNoFilter = fault.New(fault.NotFound, "there is no such saved filter")

// SavedFilters lists a person's own and all shared ones, by name. It is Forbidden to customers.
func (s *Store) SavedFilters(ctx context.Context, viewer desk.Person) ([]desk.Saved, error) {
	if !viewer.Role.Staff() {
		return nil, errRole
	}
	rows, err := s.pool.Query(ctx, `
		SELECT f.id, f.name, f.query, f.shared, p.id, p.name, p.handle, p.role
		FROM saved_filters f JOIN people p ON p.id = f.author
		WHERE f.shared OR f.author = $1 ORDER BY lower(f.name), f.id`, viewer.ID)
	if err != nil {
		return nil, explain(err, "list the saved filters")
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f desk.Saved, err error) {
		err = row.Scan(&f.ID, &f.Name, &f.Query, &f.Shared, &f.Author.ID, &f.Author.Name, &f.Author.Handle, &f.Author.Role)
		f.Yours = mayChange(viewer, f.Author)
		return f, err
	})
	return all, explain(err, "list the saved filters")
}

// SaveFilter keeps a filter: a new one with ID 0, or else what the author, or a supervisor if it is shared, makes of
// one that is there. Its author stays. It is Forbidden to customers, Invalid by field, and NotFound for one that is not
// theirs to change.
func (s *Store) SaveFilter(ctx context.Context, by desk.Person, f desk.Saved) (id int64, err error) {
	if !by.Role.Staff() {
		return 0, errRole
	}
	f.Name = strings.TrimSpace(f.Name)
	if err := f.Check(); err != nil {
		return 0, err
	}
	if f.ID == 0 {
		err = s.pool.QueryRow(ctx, `INSERT INTO saved_filters (author, shared, name, query) VALUES ($1, $2, $3, $4) RETURNING id`,
			by.ID, f.Shared, f.Name, f.Query).Scan(&id)
		return id, explain(err, "keep a filter")
	}
	err = s.pool.QueryRow(ctx, `
		UPDATE saved_filters SET shared = $4, name = $5, query = $6, changed_at = clock_timestamp()
		WHERE id = $1 AND (author = $2 OR shared AND $3) RETURNING id`,
		f.ID, by.ID, by.Role.Commands(), f.Shared, f.Name, f.Query).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, errNoFilter
	}
	return id, explain(err, "change a saved filter")
}

// DeleteFilter forgets a saved filter. It is NotFound for one that is not theirs to change.
func (s *Store) DeleteFilter(ctx context.Context, by desk.Person, id int64) error {
	if !by.Role.Staff() {
		return errRole
	}
	tag, err := s.pool.Exec(ctx, `DELETE FROM saved_filters WHERE id = $1 AND (author = $2 OR shared AND $3)`, id, by.ID, by.Role.Commands())
	if err == nil && tag.RowsAffected() == 0 {
		return errNoFilter
	}
	return explain(err, "delete a saved filter")
}
