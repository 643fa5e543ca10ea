package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// enterable selects whoever may come in.
const enterable = `SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), p.session_epoch FROM people p `

// entry gives somebody with their epoch, as a transaction left them. NotFound: they are let in no more.
func entry(ctx context.Context, q querier, id ticket.PersonID) (e account.Authenticated, err error) {
	return oneEntry(q.QueryRow(ctx, enterable+`WHERE p.id = $1 AND p.disabled_at IS NULL`, id))
}

func oneEntry(row pgx.Row) (e account.Authenticated, err error) {
	p := &e.Person
	err = row.Scan(&p.ID, &p.Role, &p.Name, &p.Address, &p.Handle, &e.Epoch)
	if errors.Is(err, pgx.ErrNoRows) {
		return account.Authenticated{}, errNobody
	}
	return e, explain(err, "look for a person")
}

// Password gives whoever has an address and their password's hash. Nobody is no error: both are empty then.
func (a *Accounts) Password(ctx context.Context, address string) (e account.Authenticated, hash string, err error) {
	p := &e.Person
	err = a.pool.QueryRow(ctx, `
		SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), p.session_epoch, coalesce(w.hash, '')
		FROM people p LEFT JOIN passwords w ON w.person = p.id
		WHERE lower(p.address) = lower($1) AND p.disabled_at IS NULL`, address).
		Scan(&p.ID, &p.Role, &p.Name, &p.Address, &p.Handle, &e.Epoch, &hash)
	if errors.Is(err, pgx.ErrNoRows) {
		return account.Authenticated{}, "", nil
	}
	return e, hash, explain(err, "look up a password")
}

// SetPassword replaces a password's hash and ends all sessions and links.
func (a *Accounts) SetPassword(ctx context.Context, id ticket.PersonID, hash string, tokens account.Tokens) (e account.Authenticated, err error) {
	err = a.within(ctx, func(tx pgx.Tx) error {
		e, err = setPassword(ctx, tx, id, account.EventPasswordChanged, hash, tokens)
		return err
	})
	return e, explain(err, "set a password")
}

func setPassword(ctx context.Context, tx pgx.Tx, id ticket.PersonID, kind account.EventKind, hash string, tokens account.Tokens) (account.Authenticated, error) {
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
	told := account.PasswordChanged
	if first {
		told = account.PasswordSet
		if kind == account.EventPasswordChanged {
			kind = account.EventPasswordSet
		}
	}
	if err := insertAccountMail(ctx, tx, told, e.Person); err != nil {
		return account.Authenticated{}, err
	}
	return e, record(ctx, tx, account.Event{Kind: kind, Person: id, Actor: id, Detail: tokens.String()})
}

// Rehash replaces a hash by another of the same password, unless it has been replaced already.
func (a *Accounts) Rehash(ctx context.Context, id ticket.PersonID, old, hash string) error {
	_, err := a.pool.Exec(ctx, `UPDATE passwords SET hash = $3 WHERE person = $1 AND hash = $2`, id, old, hash)
	return explain(err, "hash a password again")
}

// EndAll ends all of a person's sessions and links; the entry is of the new epoch.
func (a *Accounts) EndAll(ctx context.Context, id ticket.PersonID, tokens account.Tokens) (e account.Authenticated, err error) {
	err = a.within(ctx, func(tx pgx.Tx) error {
		if e, err = endAll(ctx, tx, id, tokens); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventSessionsEnded, Person: id, Actor: id, Detail: tokens.String()})
	})
	return e, explain(err, "end the sessions of %s", id)
}

// endAll begins a new session epoch for somebody, and ends their links and, if asked to, their tokens.
func endAll(ctx context.Context, tx pgx.Tx, id ticket.PersonID, tokens account.Tokens) (account.Authenticated, error) {
	if _, err := tx.Exec(ctx, `UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1`, id); err != nil {
		return account.Authenticated{}, err
	}
	if err := callOff(ctx, tx, id); err != nil {
		return account.Authenticated{}, err
	}
	if tokens == account.RevokeTokens {
		if _, err := endTokens(ctx, tx, id); err != nil {
			return account.Authenticated{}, err
		}
	}
	return entry(ctx, tx, id)
}

// ByIdentity returns the member of staff whom a provider calls by subject. Without one, it binds the one who has the
// verified address, unless another subject of that provider's is theirs already. It is NotFound for all others.
func (a *Accounts) ByIdentity(ctx context.Context, i account.Identity) (e account.Authenticated, err error) {
	err = a.within(ctx, func(tx pgx.Tx) error {
		var bound pgconn.CommandTag
		e, err = oneEntry(tx.QueryRow(ctx, enterable+`JOIN identities i ON i.person = p.id
			WHERE i.issuer = $1 AND i.subject = $2`, i.Issuer, i.Subject))
		if fault.KindOf(err) == fault.NotFound {
			bound, err = tx.Exec(ctx, `
				INSERT INTO identities (issuer, subject, person)
				SELECT $1, $2, id FROM people
				WHERE lower(address) = lower($3) AND $3 <> '' AND role <> 'customer' AND disabled_at IS NULL
				ON CONFLICT DO NOTHING`, i.Issuer, i.Subject, i.Address)
		}
		if err != nil {
			return err
		}
		e, err = oneEntry(tx.QueryRow(ctx, enterable+`JOIN identities i ON i.person = p.id
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
