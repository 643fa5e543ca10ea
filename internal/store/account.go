package store

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Accounts stores what internal/account needs to authenticate people: passwords, links, rate limits, tokens and mails.
type Accounts struct{ *Store }

// Accounts returns a view of the store for internal/account.
func (s *Store) Accounts() *Accounts { return &Accounts{Store: s} }

// Member returns a person by ID, disabled or not. It returns NotFound if there is none.
func (a *Accounts) Member(ctx context.Context, id ticket.PersonID) (m account.Member, err error) {
	err = a.pool.QueryRow(ctx, `
		SELECT id, role, name, address, coalesce(handle, ''), created_at, disabled_at FROM people WHERE id = $1`, id).
		Scan(&m.ID, &m.Role, &m.Name, &m.Address, &m.Handle, &m.Since, nullable(&m.DisabledAt))
	return m, explain(missing(err, errNoPerson), "read the account of %s", id)
}

// authenticatedSQL selects from people p what scanAuthenticated scans.
const authenticatedSQL = `SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), p.session_epoch FROM people p `

// authenticated returns a person with their session epoch as of the transaction. It returns NotFound if they are
// disabled.
func authenticated(ctx context.Context, q querier, id ticket.PersonID) (e account.Authenticated, err error) {
	return scanAuthenticated(q.QueryRow(ctx, authenticatedSQL+`WHERE p.id = $1 AND p.disabled_at IS NULL`, id))
}

func scanAuthenticated(row pgx.Row) (e account.Authenticated, err error) {
	p := &e.Person
	err = row.Scan(&p.ID, &p.Role, &p.Name, &p.Address, &p.Handle, &e.Epoch)
	return e, explain(missing(err, errNoPerson), "look for a person")
}

// Password returns the person with an address and the hash of their password. Both are empty, without an error, if
// there is none or they are disabled.
func (a *Accounts) Password(ctx context.Context, address string) (e account.Authenticated, hash string, err error) {
	p := &e.Person
	err = a.pool.QueryRow(ctx, `
		SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), p.session_epoch, coalesce(w.hash, '')
		FROM people p LEFT JOIN passwords w ON w.person = p.id
		WHERE p.id = `+ownerOf("$1")+` AND p.disabled_at IS NULL`, address).
		Scan(&p.ID, &p.Role, &p.Name, &p.Address, &p.Handle, &e.Epoch, &hash)
	return e, hash, explain(missing(err, nil), "look up a password")
}

// SetPassword replaces the hash of a password, ends all sessions and links of the person, and revokes their tokens if
// asked to.
func (a *Accounts) SetPassword(ctx context.Context, id ticket.PersonID, hash string, tokens account.Tokens) (e account.Authenticated, err error) {
	err = a.within(ctx, func(tx pgx.Tx) error {
		e, err = a.setPassword(ctx, tx, id, account.EventPasswordChanged, hash, tokens)
		return err
	})
	return e, explain(err, "set a password")
}

func (a *Accounts) setPassword(ctx context.Context, tx pgx.Tx, id ticket.PersonID, kind account.EventKind, hash string, tokens account.Tokens) (account.Authenticated, error) {
	e, err := endAll(ctx, tx, id, tokens)
	if err != nil {
		return account.Authenticated{}, err
	}
	var first bool
	if err := tx.QueryRow(ctx, `
		WITH had AS (SELECT FROM passwords WHERE person = $1)
		INSERT INTO passwords (person, hash) VALUES ($1, $2)
		ON CONFLICT (person) DO UPDATE SET hash = excluded.hash, set_at = excluded.set_at
		RETURNING NOT EXISTS (SELECT FROM had)`, id, hash).Scan(&first); err != nil {
		return account.Authenticated{}, err
	}
	mail := account.PasswordChanged
	if first {
		mail = account.PasswordSet
		if kind == account.EventPasswordChanged {
			kind = account.EventPasswordSet
		}
	}
	if err := a.insertAccountMail(ctx, tx, mail, e.Person); err != nil {
		return account.Authenticated{}, err
	}
	return e, record(ctx, tx, account.Event{Kind: kind, Person: id, Actor: id, Detail: tokens.String()})
}

// Rehash replaces a hash by another of the same password, unless the password was changed meanwhile.
func (a *Accounts) Rehash(ctx context.Context, id ticket.PersonID, old, hash string) error {
	_, err := a.pool.Exec(ctx, `UPDATE passwords SET hash = $3 WHERE person = $1 AND hash = $2`, id, old, hash)
	return explain(err, "hash a password again")
}

// EndAll ends all sessions and links of a person and revokes their tokens if asked to. It returns the person with the
// new session epoch.
func (a *Accounts) EndAll(ctx context.Context, id ticket.PersonID, tokens account.Tokens) (e account.Authenticated, err error) {
	err = a.within(ctx, func(tx pgx.Tx) error {
		if e, err = endAll(ctx, tx, id, tokens); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventSessionsEnded, Person: id, Actor: id, Detail: tokens.String()})
	})
	return e, explain(err, "end the sessions of %s", id)
}

// endAll increments a person's session epoch, ends their links and, if asked to, revokes their tokens.
func endAll(ctx context.Context, tx pgx.Tx, id ticket.PersonID, tokens account.Tokens) (account.Authenticated, error) {
	if _, err := tx.Exec(ctx, `UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1`, id); err != nil {
		return account.Authenticated{}, err
	}
	if err := endLinks(ctx, tx, id); err != nil {
		return account.Authenticated{}, err
	}
	if tokens == account.RevokeTokens {
		if _, err := endTokens(ctx, tx, id); err != nil {
			return account.Authenticated{}, err
		}
	}
	return authenticated(ctx, tx, id)
}

// ByIdentity returns the member of staff with a subject at an identity provider. If there is none, it links the subject
// to the member of staff with the verified address, unless that one is linked to another subject of the provider. It
// returns NotFound otherwise.
func (a *Accounts) ByIdentity(ctx context.Context, i account.Identity) (e account.Authenticated, err error) {
	err = a.within(ctx, func(tx pgx.Tx) error {
		var bound pgconn.CommandTag
		e, err = scanAuthenticated(tx.QueryRow(ctx, authenticatedSQL+`JOIN identities i ON i.person = p.id
			WHERE i.issuer = $1 AND i.subject = $2`, i.Issuer, i.Subject))
		if fault.KindOf(err) == fault.NotFound {
			bound, err = tx.Exec(ctx, `
				INSERT INTO identities (issuer, subject, person)
				SELECT $1, $2, id FROM people
				WHERE id = `+ownerOf("$3")+` AND $3 <> '' AND role <> 'customer' AND disabled_at IS NULL
				ON CONFLICT DO NOTHING`, i.Issuer, i.Subject, i.Address)
		}
		if err != nil {
			return err
		}
		e, err = scanAuthenticated(tx.QueryRow(ctx, authenticatedSQL+`JOIN identities i ON i.person = p.id
			WHERE i.issuer = $1 AND i.subject = $2 AND p.role <> 'customer' AND p.disabled_at IS NULL`, i.Issuer, i.Subject))
		if err == nil && bound.RowsAffected() > 0 {
			err = record(ctx, tx, account.Event{Kind: account.EventIdentityLinked, Person: e.Person.ID, Actor: e.Person.ID, Detail: "at " + i.Issuer})
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, signedIn(e.Person.ID, "by "+i.Issuer))
	})
	return e, explain(err, "look up an identity")
}
