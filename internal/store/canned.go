package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

var errNoCanned = fault.New(fault.NotFound, "there is no such canned reply")

// CannedReplies lists a person's own and all shared ones, by title. It is Forbidden to customers.
func (s *Store) CannedReplies(ctx context.Context, viewer desk.Person) ([]desk.Canned, error) {
	if !viewer.Role.Staff() {
		return nil, errRole
	}
	rows, err := s.pool.Query(ctx, `
		SELECT c.id, c.title, c.body, c.shared, p.id, p.name, p.handle, p.role
		FROM canned c JOIN people p ON p.id = c.author
		WHERE c.shared OR c.author = $1 ORDER BY lower(c.title), c.id`, viewer.ID)
	if err != nil {
		return nil, explain(err, "list the canned replies")
	}
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c desk.Canned, err error) {
		err = row.Scan(&c.ID, &c.Title, &c.Body, &c.Shared, &c.Author.ID, &c.Author.Name, &c.Author.Handle, &c.Author.Role)
		c.Yours = mayChange(viewer, c.Author)
		return c, err
	})
	return all, explain(err, "list the canned replies")
}

// mayChange reports whether somebody may change what an author keeps and they can see: their own, and supervisors
// also what others share.
func mayChange(by desk.Person, author desk.Ref) bool { return by.ID == author.ID || by.Role.Commands() }

// SaveCanned keeps a canned reply: a new one with ID 0, or else what the author, or a supervisor if it is shared,
// makes of one that is there. Its author stays. It is Forbidden to customers, Invalid by field, and NotFound for one
// that is not theirs to change.
func (s *Store) SaveCanned(ctx context.Context, by desk.Person, c desk.Canned) (id int64, err error) {
	if !by.Role.Staff() {
		return 0, errRole
	}
	c.Title = strings.TrimSpace(c.Title)
	if err := c.Check(); err != nil {
		return 0, err
	}
	if c.ID == 0 {
		err = s.pool.QueryRow(ctx, `INSERT INTO canned (author, shared, title, body) VALUES ($1, $2, $3, $4) RETURNING id`,
			by.ID, c.Shared, c.Title, c.Body).Scan(&id)
		return id, explain(err, "keep a canned reply")
	}
	err = s.pool.QueryRow(ctx, `
		UPDATE canned SET shared = $4, title = $5, body = $6, changed_at = clock_timestamp()
		WHERE id = $1 AND (author = $2 OR shared AND $3) RETURNING id`,
		c.ID, by.ID, by.Role.Commands(), c.Shared, c.Title, c.Body).Scan(&id)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, errNoCanned
	}
	return id, explain(err, "change a canned reply")
}

// DeleteCanned forgets a canned reply. It is NotFound for one that is not theirs to change.
func (s *Store) DeleteCanned(ctx context.Context, by desk.Person, id int64) error {
	if !by.Role.Staff() {
		return errRole
	}
	tag, err := s.pool.Exec(ctx, `DELETE FROM canned WHERE id = $1 AND (author = $2 OR shared AND $3)`, id, by.ID, by.Role.Commands())
	if err == nil && tag.RowsAffected() == 0 {
		return errNoCanned
	}
	return explain(err, "delete a canned reply")
}
