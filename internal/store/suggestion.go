package store

import (
	"context"
	"strings"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Suggest keeps what somebody would do better. The zero person is a visitor. Who may suggest how often is the caller's
// to limit.
func (s *Store) Suggest(ctx context.Context, by desk.Person, body string) error {
	if n := utf8.RuneCountInString(body); strings.TrimSpace(body) == "" || n > desk.MaxSuggestion {
		return fault.Field("body", "must have 1 to %d characters", desk.MaxSuggestion)
	}
	_, err := s.pool.Exec(ctx, `INSERT INTO suggestions (person, body) VALUES (nullif(@person, ''), @body)`,
		pgx.StrictNamedArgs{"person": by.ID, "body": body})
	return explain(err, "keep a suggestion")
}
