package store

import (
	"context"
	"crypto/sha256"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// keptFor is how long a form is kept for its author to sign in again.
	keptFor = 24 * time.Hour
	// maxKept is how many forms are kept per person, in all browsers together. The oldest are deleted first.
	maxKept = 8
	// maxKeptSize is the maximum size in bytes of a form encoded as a query. The schema has the same limit.
	maxKeptSize = 1310720
)

// KeepForm stores a form for its author in a browser, which is identified by the SHA-256 of its cookie. It replaces an
// earlier form from the same page to the same path. It returns TooLarge above maxKeptSize.
func (s *Store) KeepForm(ctx context.Context, browser []byte, f desk.KeptForm) error {
	fields := f.Fields.Encode()
	if len(fields) > maxKeptSize {
		return fault.New(fault.TooLarge, "that is too much to be kept")
	}
	_, err := s.pool.Exec(ctx, `
		WITH cleared AS (
			DELETE FROM kept_forms WHERE (browser, person, form) IN (
				SELECT browser, person, form FROM (
					SELECT browser, person, form, row_number() OVER (ORDER BY kept_at DESC) AS place
					FROM kept_forms WHERE person = @person AND (browser, form) <> (@browser, @form)) others
				WHERE place >= @most)
		)
		INSERT INTO kept_forms (browser, person, form, action, page, fields) VALUES (@browser, @person, @form, @action, @page, @fields)
		ON CONFLICT (browser, person, form) DO UPDATE SET fields = excluded.fields, kept_at = excluded.kept_at`,
		pgx.StrictNamedArgs{
			"browser": browser, "person": f.Person, "form": keptKey(f.Action, f.Page), "action": f.Action, "page": f.Page, "fields": fields,
			"most": maxKept,
		})
	return explain(err, "keep a form")
}

// keptKey identifies a form within a browser by both its path and its page, since many pages submit to the same path.
func keptKey(action, page string) []byte {
	hash := sha256.Sum256([]byte(action + "\n" + page))
	return hash[:]
}

// KeptForms returns the forms stored in a browser for a person on a page, oldest first.
func (s *Store) KeptForms(ctx context.Context, browser []byte, person ticket.PersonID, page string) ([]desk.KeptForm, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT person, page, action, fields, kept_at FROM kept_forms
		WHERE browser = @browser AND person = @person AND page = @page AND kept_at > clock_timestamp() - @stays::interval
		ORDER BY kept_at`,
		pgx.StrictNamedArgs{"browser": browser, "person": person, "page": page, "stays": keptFor})
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f desk.KeptForm, err error) {
		var fields string
		if err = row.Scan(&f.Person, &f.Page, &f.Action, &fields, &f.Kept); err == nil {
			f.Fields, err = url.ParseQuery(fields)
		}
		return f, err
	})
	return kept, explain(err, "look for kept forms")
}

// ForgetForm deletes the form stored in a browser for a person that comes from a page and is submitted to a path.
func (s *Store) ForgetForm(ctx context.Context, browser []byte, person ticket.PersonID, action, page string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM kept_forms WHERE browser = @browser AND person = @person AND form = @form`,
		pgx.StrictNamedArgs{"browser": browser, "person": person, "form": keptKey(action, page)})
	return explain(err, "forget a form")
}

// ForgetForms deletes all forms stored in a browser for a person.
func (s *Store) ForgetForms(ctx context.Context, browser []byte, person ticket.PersonID) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM kept_forms WHERE browser = @browser AND person = @person`,
		pgx.StrictNamedArgs{"browser": browser, "person": person})
	return explain(err, "forget all forms of a browser")
}
