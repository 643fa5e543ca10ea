package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// savedTable is a table of texts that staff save by name, for themselves or for all.
type savedTable struct {
	table, name, text string // the table and two of its columns
	none              error  // there is none that the editor may change
}

var (
	cannedTable  = savedTable{"canned", "title", "body", fault.New(fault.NotFound, "there is no such canned reply")}
	filtersTable = savedTable{"saved_filters", "name", "query", fault.New(fault.NotFound, "there is no such saved filter")}
)

// savedText is a row of a savedTable.
type savedText struct {
	id         int64
	name, text string
	shared     bool
	author     desk.Ref
}

// readSaved returns a person's own texts and all shared ones, by name.
func readSaved[T any](ctx context.Context, q querier, t savedTable, person ticket.PersonID, as func(savedText) T) ([]T, error) {
	rows, _ := q.Query(ctx, `
		SELECT s.id, s.`+t.name+`, s.`+t.text+`, s.shared, p.id, p.name, p.handle, p.role
		FROM `+t.table+` s JOIN people p ON p.id = s.author
		WHERE s.shared OR s.author = $1 ORDER BY lower(s.`+t.name+`), s.id`, person)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (T, error) {
		var s savedText
		err := row.Scan(&s.id, &s.name, &s.text, &s.shared, &s.author.ID, &s.author.Name, &s.author.Handle, &s.author.Role)
		return as(s), err
	})
	return all, explain(err, "list what is saved in %s", t.table)
}

// addSaved stores a text and returns its ID.
func (s *Store) addSaved(ctx context.Context, t savedTable, author ticket.PersonID, shared bool, name, text string) (id int64, err error) {
	err = s.pool.QueryRow(ctx, `INSERT INTO `+t.table+` (author, shared, `+t.name+`, `+t.text+`) VALUES ($1, $2, $3, $4) RETURNING id`,
		author, shared, name, text).Scan(&id)
	return id, explain(err, "save in %s", t.table)
}

func (s *Store) updateSaved(ctx context.Context, t savedTable, e app.Editor, id int64, shared bool, name, text string) error {
	return changeOne(ctx, s.pool, t.none, "change what is saved in "+t.table, `
		UPDATE `+t.table+` SET shared = $4, `+t.name+` = $5, `+t.text+` = $6, changed_at = clock_timestamp()
		WHERE id = $1 AND (author = $2 OR shared AND $3)`, id, e.Person, e.Shared, shared, name, text)
}

func (s *Store) removeSaved(ctx context.Context, t savedTable, e app.Editor, id int64) error {
	return changeOne(ctx, s.pool, t.none, "delete what is saved in "+t.table,
		`DELETE FROM `+t.table+` WHERE id = $1 AND (author = $2 OR shared AND $3)`, id, e.Person, e.Shared)
}

// Canned returns a person's own canned replies and all shared ones, by title.
func (s *Store) Canned(ctx context.Context, person ticket.PersonID) ([]desk.CannedReply, error) {
	return readSaved(ctx, s.pool, cannedTable, person, func(t savedText) desk.CannedReply {
		return desk.CannedReply{ID: t.id, Title: t.name, Body: t.text, Shared: t.shared, Author: t.author}
	})
}

// AddCanned stores a canned reply and returns its ID.
func (s *Store) AddCanned(ctx context.Context, author ticket.PersonID, c desk.CannedReply) (int64, error) {
	return s.addSaved(ctx, cannedTable, author, c.Shared, c.Title, c.Body)
}

// UpdateCanned changes a canned reply except for its author. It returns NotFound if the editor may not change it.
func (s *Store) UpdateCanned(ctx context.Context, e app.Editor, c desk.CannedReply) error {
	return s.updateSaved(ctx, cannedTable, e, c.ID, c.Shared, c.Title, c.Body)
}

// RemoveCanned deletes a canned reply. It returns NotFound if the editor may not change it.
func (s *Store) RemoveCanned(ctx context.Context, e app.Editor, id int64) error {
	return s.removeSaved(ctx, cannedTable, e, id)
}

// Filters returns a person's own saved filters and all shared ones, by name.
func (s *Store) Filters(ctx context.Context, person ticket.PersonID) ([]desk.SavedFilter, error) {
	return readSaved(ctx, s.pool, filtersTable, person, func(t savedText) desk.SavedFilter {
		return desk.SavedFilter{ID: t.id, Name: t.name, Query: t.text, Shared: t.shared, Author: t.author}
	})
}

// AddFilter stores a saved filter and returns its ID.
func (s *Store) AddFilter(ctx context.Context, author ticket.PersonID, f desk.SavedFilter) (int64, error) {
	return s.addSaved(ctx, filtersTable, author, f.Shared, f.Name, f.Query)
}

// UpdateFilter changes a saved filter except for its author. It returns NotFound if the editor may not change it.
func (s *Store) UpdateFilter(ctx context.Context, e app.Editor, f desk.SavedFilter) error {
	return s.updateSaved(ctx, filtersTable, e, f.ID, f.Shared, f.Name, f.Query)
}

// RemoveFilter deletes a saved filter. It returns NotFound if the editor may not change it.
func (s *Store) RemoveFilter(ctx context.Context, e app.Editor, id int64) error {
	return s.removeSaved(ctx, filtersTable, e, id)
}
