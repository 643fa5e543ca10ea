package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Profile returns a person's own account. It returns NotFound if they are disabled.
func (a *Accounts) Profile(ctx context.Context, id ticket.PersonID) (account.Profile, error) {
	var p account.Profile
	err := a.pool.QueryRow(ctx, `
		SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), p.signature, p.created_at, w.set_at,
			coalesce((SELECT array_agg(issuer ORDER BY issuer) FROM identities WHERE person = p.id), '{}'),
			ARRAY(SELECT address FROM person_addresses WHERE person = p.id AND NOT main ORDER BY lower(address))
		FROM people p LEFT JOIN passwords w ON w.person = p.id WHERE p.id = $1 AND p.disabled_at IS NULL`, id).
		Scan(&p.Person.ID, &p.Person.Role, &p.Person.Name, &p.Person.Address, &p.Person.Handle, &p.Signature, &p.Since, nullable(&p.PasswordSetAt), &p.Identities, &p.Addresses)
	return p, explain(missing(err, errNoPerson), "read the account of %s", id)
}

// Rename changes the name of a person who is not disabled.
func (a *Accounts) Rename(ctx context.Context, id ticket.PersonID, name string) error {
	return changeOne(ctx, a.pool, errNoPerson, "rename "+string(id), `UPDATE people SET name = $2 WHERE id = $1 AND disabled_at IS NULL`, id, name)
}

// Sign changes what a person signs emails with.
func (a *Accounts) Sign(ctx context.Context, id ticket.PersonID, signature string) error {
	return changeOne(ctx, a.pool, errNoPerson, "change the signature of "+string(id),
		`UPDATE people SET signature = $2 WHERE id = $1 AND disabled_at IS NULL`, id, signature)
}

// Members returns a page of people that match f, ordered by address. more reports whether there are others after it.
func (a *Accounts) Members(ctx context.Context, f account.MemberFilter) (list []account.Member, more bool, err error) {
	rows, _ := a.pool.Query(ctx, `
		SELECT id, role, name, address, coalesce(handle, ''), created_at, disabled_at FROM people
		WHERE CASE WHEN @role <> '' THEN role = @role ELSE role <> 'customer' OR @search <> '' END
			AND (@search = '' OR strpos(lower(name), lower(@search)) > 0 OR strpos(lower(address), lower(@search)) > 0
				OR strpos(lower(coalesce(handle, '')), lower(@search)) > 0)
			AND lower(address) > lower(@after) AND merged_into IS NULL
		ORDER BY lower(address) LIMIT @limit + 1`,
		pgx.StrictNamedArgs{"role": string(f.Role), "search": f.Search, "after": f.After, "limit": f.Limit})
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m account.Member, err error) {
		err = row.Scan(&m.ID, &m.Role, &m.Name, &m.Address, &m.Handle, &m.Since, nullable(&m.DisabledAt))
		return m, err
	})
	if err != nil {
		return nil, false, explain(err, "list the members")
	}
	if more = len(list) > f.Limit; more {
		list = list[:f.Limit]
	}
	return list, more, nil
}

// administrationLock is the advisory lock that serializes changes by administrators, so that each sees the rights that
// the one before left.
const administrationLock = 0x6f6666696365 // "office"

// asAdministrator runs fn in a transaction that holds administrationLock, after checking that by is still an
// administrator. An empty by is an operator on the command line.
func (a *Accounts) asAdministrator(ctx context.Context, by ticket.PersonID, fn func(pgx.Tx) error) error {
	return a.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(administrationLock)); err != nil {
			return err
		}
		// A separate statement, so that its snapshot includes what was committed while waiting for the lock.
		if by != "" {
			var role ticket.Role
			err := tx.QueryRow(ctx, `SELECT coalesce((SELECT role FROM people WHERE id = $1 AND disabled_at IS NULL), '')`, by).Scan(&role)
			if err == nil {
				err = account.MayAdminister(role)
			}
			if err != nil {
				return err
			}
		}
		return fn(tx)
	})
}

// SetRole changes the role of a person who is not disabled and ends their sessions, links and tokens. It generates a
// handle if they have none. A contact becomes an account.
func (a *Accounts) SetRole(ctx context.Context, by, id ticket.PersonID, role ticket.Role) error {
	err := a.asAdministrator(ctx, by, func(tx pgx.Tx) error {
		var before ticket.Role
		err := tx.QueryRow(ctx, `
			WITH old AS (SELECT role FROM people WHERE id = $1)
			UPDATE people SET role = $2, handle = coalesce(handle, $3), claimed_at = coalesce(claimed_at, clock_timestamp()) WHERE id = $1 AND disabled_at IS NULL RETURNING (SELECT role FROM old)`,
			id, role, generatedHandle(id)).Scan(&before)
		if err != nil {
			return missing(err, errNoPerson)
		}
		if err := endRights(ctx, tx, id); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventRoleChanged, Person: id, Actor: by, Detail: "from " + string(before) + " to " + string(role)})
	})
	return explain(err, "change the role of %s", id)
}

// Disable disables an account and ends its sessions, links and tokens. It returns NotFound if there is none.
func (a *Accounts) Disable(ctx context.Context, by, id ticket.PersonID) error {
	err := a.asAdministrator(ctx, by, func(tx pgx.Tx) error {
		err := changeOne(ctx, tx, errNoPerson, "disable", `UPDATE people SET disabled_at = coalesce(disabled_at, clock_timestamp()) WHERE id = $1`, id)
		if err == nil {
			err = endRights(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventDisabled, Person: id, Actor: by})
	})
	return explain(err, "disable %s", id)
}

// Enable enables a disabled account.
func (a *Accounts) Enable(ctx context.Context, by, id ticket.PersonID) error {
	err := a.asAdministrator(ctx, by, func(tx pgx.Tx) error {
		if err := changeOne(ctx, tx, errNoPerson, "enable", `UPDATE people SET disabled_at = NULL WHERE id = $1 AND merged_into IS NULL`, id); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventEnabled, Person: id, Actor: by})
	})
	return explain(err, "enable %s", id)
}

// endRights ends a person's sessions, links and tokens, since all were issued for the rights they had before. It also
// withdraws their open invitations unless they are still an administrator: otherwise they could return under another
// address.
func endRights(ctx context.Context, tx pgx.Tx, id ticket.PersonID) error {
	if _, err := tx.Exec(ctx, `UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1`, id); err != nil {
		return err
	}
	if err := endLinks(ctx, tx, id); err != nil {
		return err
	}
	if _, err := endTokens(ctx, tx, id); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `UPDATE links l SET expires_at = least(l.expires_at, clock_timestamp())
		FROM people p WHERE p.id = l.invited_by AND p.id = $1 AND l.used_at IS NULL
		AND (p.disabled_at IS NOT NULL OR p.role <> 'administrator')`, id)
	return err
}

// Tokens returns a person's valid tokens, newest first.
func (a *Accounts) Tokens(ctx context.Context, id ticket.PersonID) ([]account.Token, error) {
	rows, _ := a.pool.Query(ctx, `
		SELECT id, label, created_at, last_used_at, 'write' = ANY (scopes) FROM tokens
		WHERE person = $1 AND revoked_at IS NULL ORDER BY created_at DESC, id DESC`, id)
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t account.Token, err error) {
		err = row.Scan(&t.ID, &t.Label, &t.CreatedAt, nullable(&t.LastUsed), &t.Writes)
		return t, err
	})
	return list, explain(err, "list the tokens of %s", id)
}

// MakeToken creates a token and the mail about it to its owner, which is a Conflict if they have most valid ones
// already. key is an idempotency key if not empty; its second use is a Conflict with the code account.CodeTokenExists.
func (a *Accounts) MakeToken(ctx context.Context, id ticket.PersonID, key, label string, writes bool, most int) (string, error) {
	token := newToken()
	err := a.within(ctx, func(tx pgx.Tx) error {
		p, err := a.person(ctx, tx, `disabled_at IS NULL AND id = $1 FOR NO KEY UPDATE`, string(id)) // serializes calls, so that the count holds
		if err != nil {
			return err
		}
		var working int
		if err := tx.QueryRow(ctx, `SELECT count(*) FROM tokens WHERE person = $1 AND revoked_at IS NULL`, id).Scan(&working); err != nil {
			return err
		}
		if working >= most {
			return fault.NewConflict("too-many-tokens", "you have %d tokens that work; revoke one first", most)
		}
		err = a.addToken(ctx, tx, newTokenRow{hash: digest(token), owner: p, actor: id, key: key, label: label, writes: writes, notify: true})
		if violates(err, "tokens_once") {
			return fault.NewConflict(account.CodeTokenExists, "that token has been made already")
		}
		return err
	})
	if err != nil {
		return "", explain(err, "make a token for %s", id)
	}
	return token, nil
}

// RevokeToken revokes one of a person's tokens. It returns NotFound if there is no such valid token.
func (a *Accounts) RevokeToken(ctx context.Context, id ticket.PersonID, token int64) error {
	err := a.within(ctx, func(tx pgx.Tx) error {
		var label string
		err := tx.QueryRow(ctx, `UPDATE tokens SET revoked_at = clock_timestamp()
			WHERE id = $2 AND person = $1 AND revoked_at IS NULL RETURNING label`, id, token).Scan(&label)
		if err != nil {
			return missing(err, fault.New(fault.NotFound, "you have no such token"))
		}
		return record(ctx, tx, account.Event{Kind: account.EventTokenRevoked, Person: id, Actor: id, Detail: label})
	})
	return explain(err, "revoke a token of %s", id)
}
