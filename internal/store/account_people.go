package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Profile gives somebody's own account.
func (a *Accounts) Profile(ctx context.Context, id ticket.PersonID) (account.Profile, error) {
	var p account.Profile
	var set *time.Time
	err := a.pool.QueryRow(ctx, `
		SELECT p.id, p.role, p.name, p.address, coalesce(p.handle, ''), p.created_at, w.set_at,
			coalesce((SELECT array_agg(issuer ORDER BY issuer) FROM identities WHERE person = p.id), '{}')
		FROM people p LEFT JOIN passwords w ON w.person = p.id WHERE p.id = $1 AND p.disabled_at IS NULL`, id).
		Scan(&p.Person.ID, &p.Person.Role, &p.Person.Name, &p.Person.Address, &p.Person.Handle, &p.Since, &set, &p.Identities)
	if errors.Is(err, pgx.ErrNoRows) {
		return account.Profile{}, errNobody
	}
	if set != nil {
		p.PasswordSetAt = *set
	}
	return p, explain(err, "read the account of %s", id)
}

// Rename changes somebody's name.
func (a *Accounts) Rename(ctx context.Context, id ticket.PersonID, name string) error {
	return a.change(ctx, "rename "+string(id), `UPDATE people SET name = $2 WHERE id = $1 AND disabled_at IS NULL`, id, name)
}

// change runs a statement about one person, and is NotFound when it changed nobody.
func (a *Accounts) change(ctx context.Context, doing, statement string, args ...any) error {
	tag, err := a.pool.Exec(ctx, statement, args...)
	if err == nil && tag.RowsAffected() == 0 {
		return errNobody
	}
	return explain(err, "%s", doing)
}

// Members lists people by address.
func (a *Accounts) Members(ctx context.Context, f account.MemberFilter) (list []account.Member, more bool, err error) {
	rows, err := a.pool.Query(ctx, `
		SELECT id, role, name, address, coalesce(handle, ''), created_at, disabled_at FROM people
		WHERE CASE WHEN @role <> '' THEN role = @role ELSE role <> 'customer' OR @search <> '' END
			AND (@search = '' OR strpos(lower(name), lower(@search)) > 0 OR strpos(lower(address), lower(@search)) > 0
				OR strpos(lower(coalesce(handle, '')), lower(@search)) > 0)
			AND lower(address) > lower(@after)
		ORDER BY lower(address) LIMIT @limit + 1`,
		pgx.StrictNamedArgs{"role": string(f.Role), "search": f.Search, "after": f.After, "limit": f.Limit})
	if err != nil {
		return nil, false, explain(err, "list the members")
	}
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (m account.Member, err error) {
		var disabled *time.Time
		err = row.Scan(&m.ID, &m.Role, &m.Name, &m.Address, &m.Handle, &m.Since, &disabled)
		if disabled != nil {
			m.DisabledAt = *disabled
		}
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

// SetRole changes what somebody enabled may do, ends their sessions, links and tokens, and gives who has no handle one.
func (a *Accounts) SetRole(ctx context.Context, id ticket.PersonID, role ticket.Role) error {
	return a.ending(ctx, id, `UPDATE people SET role = $2, handle = coalesce(handle, $3) WHERE id = $1 AND disabled_at IS NULL`,
		id, role, drawnHandle(id))
}

// Disable shuts somebody out.
func (a *Accounts) Disable(ctx context.Context, id ticket.PersonID) error {
	return a.ending(ctx, id, `UPDATE people SET disabled_at = coalesce(disabled_at, clock_timestamp()) WHERE id = $1`, id)
}

// Enable lets somebody in again.
func (a *Accounts) Enable(ctx context.Context, id ticket.PersonID) error {
	return a.change(ctx, "enable "+string(id), `UPDATE people SET disabled_at = NULL WHERE id = $1`, id)
}

// ending changes somebody and ends their sessions, links and tokens in the same transaction: none of them was given out
// for the new role. So do the invitations that they made: who may invite no more brings nobody in, themselves under
// another address among them.
func (a *Accounts) ending(ctx context.Context, id ticket.PersonID, statement string, args ...any) error {
	err := a.within(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, statement, args...)
		if err == nil && tag.RowsAffected() == 0 {
			return errNobody
		}
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE people SET session_epoch = session_epoch + 1 WHERE id = $1`, id)
		}
		if err == nil {
			err = callOff(ctx, tx, id)
		}
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE tokens SET revoked_at = clock_timestamp() WHERE person = $1 AND revoked_at IS NULL`, id)
		}
		if err == nil {
			_, err = tx.Exec(ctx, `UPDATE links l SET expires_at = least(l.expires_at, clock_timestamp())
				FROM people p WHERE p.id = l.invited_by AND p.id = $1 AND l.used_at IS NULL
				AND (p.disabled_at IS NOT NULL OR p.role <> 'administrator')`, id)
		}
		return err
	})
	return explain(err, "change the account of %s", id)
}

// Tokens lists a person's tokens that work, the newest first.
func (a *Accounts) Tokens(ctx context.Context, id ticket.PersonID) ([]account.Token, error) {
	rows, err := a.pool.Query(ctx, `
		SELECT id, label, created_at, last_used_at, 'write' = ANY (scopes) FROM tokens
		WHERE person = $1 AND revoked_at IS NULL ORDER BY created_at DESC, id DESC`, id)
	if err != nil {
		return nil, explain(err, "list the tokens of %s", id)
	}
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (t account.Token, err error) {
		var used *time.Time
		err = row.Scan(&t.ID, &t.Label, &t.Made, &used, &t.Writes)
		if used != nil {
			t.LastUsed = *used
		}
		return t, err
	})
	return list, explain(err, "list the tokens of %s", id)
}

// MakeToken makes a token for somebody who has fewer than most that work, once for a key that is not empty. A second
// time is a Conflict with the code account.CodeTokenMade.
func (a *Accounts) MakeToken(ctx context.Context, id ticket.PersonID, once, label string, writes bool, most int) (string, error) {
	token, scopes := newToken(), []string{"read"}
	if writes {
		scopes = append(scopes, "write")
	}
	tag, err := a.pool.Exec(ctx, `
		INSERT INTO tokens (hash, person, once, label, scopes)
		SELECT @hash, p.id, nullif(@once, ''), @label, @scopes FROM people p WHERE p.id = @id AND p.disabled_at IS NULL
			AND (SELECT count(*) FROM tokens WHERE person = p.id AND revoked_at IS NULL) < @most`,
		pgx.StrictNamedArgs{"hash": digest(token), "id": id, "once": once, "label": label, "scopes": scopes, "most": most})
	if broken, ok := errors.AsType[*pgconn.PgError](err); ok && broken.ConstraintName == "tokens_once" {
		return "", fault.Refusal(account.CodeTokenMade, "that token has been made already")
	}
	if err != nil {
		return "", explain(err, "make a token for %s", id)
	}
	if tag.RowsAffected() == 0 {
		return "", fault.Refusal("too-many-tokens", "you have %d tokens that work; revoke one first", most)
	}
	return token, nil
}

// RevokeToken makes one of a person's tokens stop working.
func (a *Accounts) RevokeToken(ctx context.Context, id ticket.PersonID, token int64) error {
	tag, err := a.pool.Exec(ctx, `UPDATE tokens SET revoked_at = clock_timestamp()
		WHERE id = $2 AND person = $1 AND revoked_at IS NULL`, id, token)
	if err == nil && tag.RowsAffected() == 0 {
		return fault.New(fault.NotFound, "you have no such token")
	}
	return explain(err, "revoke a token of %s", id)
}
