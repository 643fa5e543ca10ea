package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"net/url"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// maxExpiredCleared is how many expired sessions a new one deletes: more than one, so that they don't accumulate.
	maxExpiredCleared = 10
	// endedSessionsKept is how long an ended session is remembered, which is longer than any request that loaded it
	// before.
	endedSessionsKept = 10 * time.Minute
)

// Sessions stores browser sessions for scs. Tokens arrive hashed; the data is opaque.
type Sessions struct{ store *Store }

// Sessions returns a view of the store for scs.
func (s *Store) Sessions() *Sessions { return &Sessions{store: s} }

// FindCtx returns the data of a session, and false if there is none or it has expired.
func (s *Sessions) FindCtx(ctx context.Context, hash string) (data []byte, exists bool, err error) {
	err = s.store.pool.QueryRow(ctx,
		`SELECT data FROM sessions WHERE hash = $1 AND expires_at > clock_timestamp()`, hash).Scan(&data)
	exists, err = found(err)
	return data, exists, explain(err, "find a session")
}

// CommitCtx stores a session until it expires, and deletes some expired sessions and kept forms. A session that was
// ended stays ended: a request that loaded it before does not restore it.
func (s *Sessions) CommitCtx(ctx context.Context, hash string, data []byte, expires time.Time) error {
	_, err := s.store.pool.Exec(ctx, `
		WITH cleared AS (
			DELETE FROM sessions WHERE hash IN (
				SELECT hash FROM sessions WHERE expires_at <= clock_timestamp() - @stays::interval LIMIT @few FOR UPDATE SKIP LOCKED)
		), forgotten AS (
			DELETE FROM kept_forms WHERE (browser, person, form) IN (
				SELECT browser, person, form FROM kept_forms WHERE kept_at <= clock_timestamp() - @kept::interval LIMIT @few FOR UPDATE SKIP LOCKED)
		)
		INSERT INTO sessions (hash, data, expires_at) VALUES (@hash, @data, @expires)
		ON CONFLICT (hash) DO UPDATE SET data = excluded.data, expires_at = excluded.expires_at
			WHERE sessions.expires_at > clock_timestamp()`,
		pgx.StrictNamedArgs{"hash": hash, "data": data, "expires": expires, "few": maxExpiredCleared, "stays": endedSessionsKept, "kept": keptFor})
	return explain(err, "save a session")
}

// DeleteCtx ends a session and empties it. It succeeds if there is none.
func (s *Sessions) DeleteCtx(ctx context.Context, hash string) error {
	_, err := s.store.pool.Exec(ctx, `
		UPDATE sessions SET data = '', expires_at = least(expires_at, clock_timestamp()) WHERE hash = $1`, hash)
	return explain(err, "end a session")
}

// errNoContext is returned by the half of the scs interface that has no context. scs calls the other half.
var errNoContext = errors.New("sessions are kept with a context only")

// Find is refused; see FindCtx.
func (*Sessions) Find(string) ([]byte, bool, error) { return nil, false, errNoContext }

// Commit is refused; see CommitCtx.
func (*Sessions) Commit(string, []byte, time.Time) error { return errNoContext }

// Delete is refused; see DeleteCtx.
func (*Sessions) Delete(string) error { return errNoContext }

// BySession returns the person of a session. It returns Unauthenticated if their sessions were ended since it began or
// they are disabled.
func (s *Store) BySession(ctx context.Context, id ticket.PersonID, epoch int64) (desk.Person, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT id, role, name, address, coalesce(handle, '') AS handle FROM people
		WHERE id = $1 AND session_epoch = $2 AND disabled_at IS NULL`, id, epoch)
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[desk.Person])
	return p, explain(missing(err, fault.New(fault.Unauthenticated, "that session has ended; sign in again")), "look up a session's person")
}

// SessionEpoch returns the epoch that a new session must carry. It returns NotFound if there is no such person or they
// are disabled.
func (s *Store) SessionEpoch(ctx context.Context, id ticket.PersonID) (epoch int64, err error) {
	err = s.pool.QueryRow(ctx, `SELECT session_epoch FROM people WHERE id = $1 AND disabled_at IS NULL`, id).Scan(&epoch)
	return epoch, explain(missing(err, errNoPerson), "read the session epoch of %s", id)
}

// EndSessions ends every session of a person.
func (s *Store) EndSessions(ctx context.Context, id ticket.PersonID) error {
	_, err := s.pool.Exec(ctx, `UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1`, id)
	return explain(err, "end the sessions of %s", id)
}

const (
	// keptFor is how long a form is kept for its author to sign in again.
	keptFor = 24 * time.Hour
	// maxKept is how many forms are kept per person, in all browsers together. The oldest are deleted first.
	maxKept = 8
	// maxKeptSize is the maximum size in bytes of a form encoded as a query. The schema has the same limit.
	maxKeptSize = 1310720
)

// SaveForm stores a form for its author in a browser, which is identified by the SHA-256 of its cookie. It replaces an
// earlier form from the same page to the same path. It returns TooLarge above maxKeptSize.
func (s *Store) SaveForm(ctx context.Context, browser []byte, f desk.SavedForm) error {
	fields := f.Fields.Encode()
	if len(fields) > maxKeptSize {
		return fault.New(fault.TooLarge, "that is too much to be saved")
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
	return explain(err, "save a form")
}

// keptKey identifies a form within a browser by both its path and its page, since many pages submit to the same path.
func keptKey(action, page string) []byte {
	hash := sha256.Sum256([]byte(action + "\n" + page))
	return hash[:]
}

// SavedForms returns the forms stored in a browser for a person on a page, oldest first.
func (s *Store) SavedForms(ctx context.Context, browser []byte, person ticket.PersonID, page string) ([]desk.SavedForm, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT person, page, action, fields, kept_at FROM kept_forms
		WHERE browser = @browser AND person = @person AND page = @page AND kept_at > clock_timestamp() - @stays::interval
		ORDER BY kept_at`,
		pgx.StrictNamedArgs{"browser": browser, "person": person, "page": page, "stays": keptFor})
	kept, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (f desk.SavedForm, err error) {
		var fields string
		if err = row.Scan(&f.Person, &f.Page, &f.Action, &fields, &f.SavedAt); err == nil {
			f.Fields, err = url.ParseQuery(fields)
		}
		return f, err
	})
	return kept, explain(err, "read the saved forms")
}

// ForgetForm deletes the form stored in a browser for a person that comes from a page and is submitted to a path.
func (s *Store) ForgetForm(ctx context.Context, browser []byte, person ticket.PersonID, action, page string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM kept_forms WHERE browser = @browser AND person = @person AND form = @form`,
		pgx.StrictNamedArgs{"browser": browser, "person": person, "form": keptKey(action, page)})
	return explain(err, "delete a saved form")
}

// ForgetForms deletes all forms stored in a browser for a person.
func (s *Store) ForgetForms(ctx context.Context, browser []byte, person ticket.PersonID) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM kept_forms WHERE browser = @browser AND person = @person`,
		pgx.StrictNamedArgs{"browser": browser, "person": person})
	return explain(err, "delete all forms of a browser")
}
