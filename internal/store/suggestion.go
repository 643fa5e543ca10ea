package store

import (
	"context"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Suggest keeps what somebody would do better, once for each key that is not empty. The zero person is a visitor. Who
// may suggest how often is the caller's to limit.
func (s *Store) Suggest(ctx context.Context, by desk.Person, key, body string) error {
	if n := utf8.RuneCountInString(body); !desk.Visible(body) || n > desk.MaxSuggestion {
		return fault.Field("body", "must have 1 to %d characters", desk.MaxSuggestion)
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO suggestions (person, body, key) VALUES (nullif(@person, ''), @body, nullif(@key, '')) ON CONFLICT DO NOTHING`,
		pgx.StrictNamedArgs{"person": by.ID, "body": body, "key": key})
	return explain(err, "keep a suggestion")
}

// ImportSuggestions takes in suggestions that were made elsewhere, with their instants and whether anybody has read
// them, and gives how many: one that is there already, from the same person at the same instant, is left alone.
func (s *Store) ImportSuggestions(ctx context.Context, all []desk.Suggestion) (added int, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		for _, one := range all {
			from := desk.Ref{}
			if one.From != nil {
				from = *one.From
			}
			tag, err := tx.Exec(ctx, `
				INSERT INTO suggestions (person, body, at, read_at)
				SELECT nullif(@person, ''), @body, @at::timestamptz, @read::timestamptz
				WHERE NOT EXISTS (SELECT FROM suggestions WHERE body = @body AND person IS NOT DISTINCT FROM nullif(@person, '') AND at = @at)`,
				pgx.StrictNamedArgs{"person": from.ID, "body": one.Body, "at": one.At, "read": instant(one.Read)})
			if err != nil {
				return err
			}
			added += int(tag.RowsAffected())
		}
		return nil
	})
	if err != nil {
		return 0, explain(err, "import %d suggestions", len(all))
	}
	return added, nil
}
