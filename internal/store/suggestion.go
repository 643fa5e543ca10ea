package store

import (
	"context"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Suggest stores a suggestion, once per key if it is not empty. The zero person is a visitor, who is not limited. It
// returns Limited if a person has written too much lately.
func (s *Store) Suggest(ctx context.Context, by desk.Person, key, body string) error {
	u, err := s.use(ctx, by, account.CommandLimit(by))
	if err != nil {
		return err
	}
	var kept, again bool
	err = s.pool.QueryRow(ctx, `
		WITH before AS (SELECT FROM suggestions WHERE key = nullif(@key, '')),
		spent AS (`+spending(`NOT EXISTS (SELECT FROM before)`)+`),
		kept AS (
			INSERT INTO suggestions (person, body, key) SELECT nullif(@person, ''), @body, nullif(@key, '')
			WHERE @allowance IS NULL OR EXISTS (SELECT FROM spent) ON CONFLICT DO NOTHING RETURNING id
		)
		SELECT EXISTS (SELECT FROM kept), EXISTS (SELECT FROM before)`,
		u.args(pgx.StrictNamedArgs{"person": by.ID, "body": body, "key": key})).Scan(&kept, &again)
	if err == nil && !kept && !again {
		return s.spent(ctx, u)
	}
	return explain(err, "save a suggestion")
}

// ImportSuggestions adds suggestions with their times of submission and reading, and returns how many were added. One
// that exists already, with the same text, person and time, is skipped.
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

// Suggestions returns the newest suggestions, up to limit, or only unread ones. waiting is the number of all unread
// ones.
func (s *Store) Suggestions(ctx context.Context, unread bool, limit int) (all []desk.Suggestion, waiting int, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT s.id, s.body, s.at, s.read_at, coalesce(p.id, ''), coalesce(p.name, ''), coalesce(p.handle, ''), coalesce(p.role, '')
		FROM suggestions s LEFT JOIN people p ON p.id = s.person
		WHERE NOT $1 OR s.read_at IS NULL
		ORDER BY s.at DESC, s.id DESC LIMIT $2`, unread, limit)
	all, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (one desk.Suggestion, err error) {
		var from desk.Ref
		err = row.Scan(&one.ID, &one.Body, &one.At, nullable(&one.Read), &from.ID, &from.Name, &from.Handle, &from.Role)
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

// MarkSuggestion marks a suggestion as read or unread. The time of the first reading is kept. It returns NotFound if
// there is none.
func (s *Store) MarkSuggestion(ctx context.Context, id int64, read bool) error {
	return changeOne(ctx, s.pool, fault.New(fault.NotFound, "there is no such suggestion"), fmt.Sprintf("mark suggestion %d", id), `
		UPDATE suggestions SET read_at = CASE WHEN $2 THEN coalesce(read_at, clock_timestamp()) END WHERE id = $1`, id, read)
}
