package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errLink = fault.New(fault.NotFound, "this link does not work any more; each works once, and for a limited time")

// openLink selects links that still work, with whoever they are for.
const openLink = `
	SELECT l.id, l.purpose, coalesce(p.id, '') AS person, coalesce(p.role, l.role) AS role, coalesce(p.name, l.name) AS name,
		coalesce(p.address, l.address) AS address, coalesce(p.handle, l.handle, '') AS handle,
		CASE l.purpose WHEN 'address' THEN l.address ELSE '' END AS moves_to, l.expires_at
	FROM links l LEFT JOIN people p ON p.id = l.person
	WHERE l.id = $1 AND l.used_at IS NULL AND l.expires_at > clock_timestamp()
		AND (l.role IS NOT NULL OR p.id IS NOT NULL AND p.disabled_at IS NULL)`

type linkRow struct {
	ID        string
	Purpose   account.Purpose
	Person    ticket.PersonID
	Role      ticket.Role
	Name      string
	Address   string
	Handle    string
	MovesTo   string
	ExpiresAt time.Time
}

func (r linkRow) link() account.Link {
	return account.Link{
		ID: r.ID, Purpose: r.Purpose, Address: r.MovesTo, Until: r.ExpiresAt,
		Person: desk.Person{ID: r.Person, Role: r.Role, Name: r.Name, Address: r.Address, Handle: r.Handle},
	}
}

// Link gives a link that still works; NotFound otherwise.
func (a *Accounts) Link(ctx context.Context, id string) (account.Link, error) {
	return link(ctx, a.pool, openLink, id)
}

func link(ctx context.Context, q querier, query, id string) (account.Link, error) {
	rows, err := q.Query(ctx, query, id)
	if err != nil {
		return account.Link{}, explain(err, "look up a link")
	}
	row, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[linkRow])
	if errors.Is(err, pgx.ErrNoRows) {
		return account.Link{}, errLink
	}
	return row.link(), explain(err, "look up a link")
}

// AddSignIn makes a link that signs in whoever has an address. NotFound: nobody, or they have been disabled.
func (a *Accounts) AddSignIn(ctx context.Context, id, address string, lasts time.Duration) error {
	tag, err := a.pool.Exec(ctx, `
		INSERT INTO links (id, purpose, person, expires_at)
		SELECT @id, 'sign-in', p.id, clock_timestamp() + @lasts FROM people p
		WHERE lower(p.address) = lower(@address) AND p.disabled_at IS NULL`,
		pgx.StrictNamedArgs{"id": id, "address": address, "lasts": lasts})
	if err == nil && tag.RowsAffected() == 0 {
		return errNobody
	}
	return explain(err, "make a link")
}
