package store

import (
	"context"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// keptFor is how long a form waits for its writer to sign in again.
	keptFor = 24 * time.Hour
	// maxKept is how many forms are kept for one person, in all browsers together; the oldest goes first.
	maxKept = 8
	// maxKeptSize is the size of a form as a query, in bytes; the schema has the same.
	maxKeptSize = 1310720
)

// KeepForm keeps a form for its writer in one browser, which is the SHA-256 of its cookie. A later one that was sent to
// the same path takes its place.
func (s *Store) KeepForm(ctx context.Context, browser []byte, f desk.KeptForm) error {
	fields := f.Fields.Encode()
	if len(fields) > maxKeptSize {
		return fault.New(fault.TooLarge, "that is too much to be kept")
	}
	_, err := s.pool.Exec(ctx, `
		WITH cleared AS (
			DELETE FROM kept_forms WHERE (browser, person, action) IN (
				SELECT browser, person, action FROM (
					SELECT browser, person, action, row_number() OVER (ORDER BY kept_at DESC) AS place
					FROM kept_forms WHERE person = @person AND (browser, action) <> (@browser, @action)) others
				WHERE place >= @most
				UNION ALL (SELECT browser, person, action FROM kept_forms WHERE kept_at < clock_timestamp() - @stays::interval
					AND (browser, person, action) <> (@browser, @person, @action) LIMIT @few))
		)
		INSERT INTO kept_forms (browser, person, action, page, fields) VALUES (@browser, @person, @action, @page, @fields)
		ON CONFLICT (browser, person, action) DO UPDATE
			SET page = excluded.page, fields = excluded.fields, kept_at = excluded.kept_at`,
		pgx.StrictNamedArgs{
			"browser": browser, "person": f.Person, "action": f.Action, "page": f.Page, "fields": fields,
			"most": maxKept, "few": expiredAtOnce, "stays": keptFor,
		})
	return explain(err, "keep a form")
}

// KeptForms returns what is kept in a browser for a person on one page.
func (s *Store) KeptForms(ctx context.Context, browser []byte, person ticket.PersonID, page string) ([]desk.KeptForm, error) {
	rows, err := s.pool.Query(ctx, `
		SELECT person, page, action, fields FROM kept_forms
		WHERE browser = @browser AND person = @person AND page = @page AND kept_at > clock_timestamp() - @stays::interval
		ORDER BY kept_at`,
		pgx.StrictNamedArgs{"browser": browser, "person": person, "page": page, "stays": keptFor})
	if err != nil {
		return nil, explain(err, "look for kept forms")
	}
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f desk.KeptForm, err error) {
		var fields string
		if err = row.Scan(&f.Person, &f.Page, &f.Action, &fields); err == nil {
			f.Fields, err = url.ParseQuery(fields)
		}
		return f, err
	})
	return kept, explain(err, "look for kept forms")
}

// ForgetForms drops what is kept in a browser for a person: what was sent to one path, or all of it for an empty action.
func (s *Store) ForgetForms(ctx context.Context, browser []byte, person ticket.PersonID, action string) error {
	_, err := s.pool.Exec(ctx, `
		DELETE FROM kept_forms WHERE browser = @browser AND person = @person AND (@action = '' OR action = @action)`,
		pgx.StrictNamedArgs{"browser": browser, "person": person, "action": action})
	return explain(err, "forget a form")
}
