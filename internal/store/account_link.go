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

var errLink = fault.New(fault.NotFound, "this link is no longer valid; a link works once, and for a limited time")

// lookAtLink reads the link with the ID $1 if it is still valid; useLink also marks it as used.
const (
	lookAtLink = `SELECT * FROM links WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp()`
	useLink    = `UPDATE links SET used_at = clock_timestamp()
		WHERE id = $1 AND used_at IS NULL AND expires_at > clock_timestamp() RETURNING *`
)

// Link returns a link that is still valid, and NotFound otherwise.
func (a *Accounts) Link(ctx context.Context, id string) (account.Link, error) {
	return findLink(ctx, a.pool, lookAtLink, id)
}

// findLink returns the link that a statement selects, with the person it is for. A link of a disabled person is
// NotFound.
func findLink(ctx context.Context, q querier, statement, id string) (l account.Link, err error) {
	p := &l.Person
	err = q.QueryRow(ctx, `
		WITH l AS (`+statement+`)
		SELECT l.id, l.purpose, coalesce(p.id, '') AS person, coalesce(p.role, l.role) AS role, coalesce(p.name, l.name) AS name,
			coalesce(p.address, l.address) AS address, coalesce(p.handle, l.handle, '') AS handle,
			CASE l.purpose WHEN 'address' THEN l.address ELSE '' END AS adds, l.expires_at,
			EXISTS (SELECT FROM tokens WHERE person = p.id AND revoked_at IS NULL) AS has_tokens
		FROM l LEFT JOIN people p ON p.id = l.person
		WHERE l.role IS NOT NULL OR p.id IS NOT NULL AND p.disabled_at IS NULL`, id).
		Scan(&l.ID, &l.Purpose, &p.ID, &p.Role, &p.Name, &p.Address, &p.Handle, &l.Address, &l.Until, &l.HasTokens)
	return l, explain(missing(err, errLink), "look up a link")
}

// useLinkFor uses a link of one of the given purposes and calls then in the same transaction, so that the link stays
// valid if then fails. It returns NotFound for a link that is not valid or has another purpose.
func (a *Accounts) useLinkFor(ctx context.Context, id string, then func(pgx.Tx, account.Link) error, purposes ...account.Purpose) error {
	err := a.within(ctx, func(tx pgx.Tx) error {
		l, err := findLink(ctx, tx, useLink, id)
		if err != nil {
			return err
		}
		for _, p := range purposes {
			if l.Purpose == p {
				return then(tx, l)
			}
		}
		return errLink
	})
	return explain(err, "use a link")
}

// SignInByLink uses a sign-in link.
func (a *Accounts) SignInByLink(ctx context.Context, id string) (e account.Authenticated, err error) {
	err = a.useLinkFor(ctx, id, func(tx pgx.Tx, l account.Link) (err error) {
		if err := claim(ctx, tx, l.Person.ID); err != nil {
			return err
		}
		if e, err = authenticated(ctx, tx, l.Person.ID); err != nil {
			return err
		}
		return record(ctx, tx, signedIn(e.Person.ID, "by a link"))
	}, account.SignIn)
	return e, err
}

func signedIn(id ticket.PersonID, how string) account.Event {
	return account.Event{Kind: account.EventSignedIn, Person: id, Actor: id, Detail: how}
}

// Reset uses a link to choose a new password.
func (a *Accounts) Reset(ctx context.Context, id, hash string, tokens account.Tokens) (e account.Authenticated, err error) {
	err = a.useLinkFor(ctx, id, func(tx pgx.Tx, l account.Link) (err error) {
		if err := claim(ctx, tx, l.Person.ID); err != nil {
			return err
		}
		e, err = a.setPassword(ctx, tx, l.Person.ID, account.EventPasswordReset, hash, tokens)
		return err
	}, account.Reset)
	return e, err
}

// CreateAccount uses a registration or an invitation, and adds the person and their password. A registration of a contact's
// address makes the contact the account.
func (a *Accounts) CreateAccount(ctx context.Context, id, name, hash string) (e account.Authenticated, err error) {
	err = a.useLinkFor(ctx, id, func(tx pgx.Tx, l account.Link) error {
		l.Person.Name = name
		if err := a.checkAddress("address", l.Person.Address); err != nil { // since the link was made
			return err
		}
		p, err := addAccount(ctx, tx, l)
		if err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `INSERT INTO passwords (person, hash) VALUES ($1, $2)`, p.ID, hash); err != nil {
			return err
		}
		if e, err = authenticated(ctx, tx, p.ID); err != nil {
			return err
		}
		kind := account.EventRegistered
		if l.Purpose == account.Invitation {
			kind = account.EventInvitationAccepted
		}
		return record(ctx, tx, account.Event{Kind: kind, Person: p.ID, Actor: p.ID, Detail: "as " + string(p.Role)})
	}, account.VerifyAddress, account.Invitation)
	return e, err
}

// addAccount adds the person of a registration or an invitation. If the address of a registration is a contact's, the contact
// becomes the account, under the name that was registered. Links that were sent to a contact stay valid, since they were
// sent to the same person.
func addAccount(ctx context.Context, tx pgx.Tx, l account.Link) (desk.Person, error) {
	if l.Purpose != account.VerifyAddress {
		return addPerson(ctx, tx, l.Person)
	}
	contact := l.Person
	err := tx.QueryRow(ctx, `UPDATE people SET name = $2 WHERE id = `+ownerOf("$1")+` AND claimed_at IS NULL AND disabled_at IS NULL RETURNING id`,
		l.Person.Address, l.Person.Name).Scan(&contact.ID)
	if errors.Is(err, pgx.ErrNoRows) {
		return addPerson(ctx, tx, l.Person)
	}
	if err != nil {
		return contact, err
	}
	return contact, claim(ctx, tx, contact.ID)
}

// claim makes a contact an account: its owner has proved the address. It does nothing to an account.
func claim(ctx context.Context, tx pgx.Tx, id ticket.PersonID) error {
	tag, err := tx.Exec(ctx, `UPDATE people SET claimed_at = clock_timestamp() WHERE id = $1 AND claimed_at IS NULL AND merged_into IS NULL`, id)
	if err != nil || tag.RowsAffected() == 0 {
		return err
	}
	return record(ctx, tx, account.Event{Kind: account.EventContactClaimed, Person: id, Actor: id})
}

// linksFromNow is the earliest issue time, in whole seconds, of signed links that are valid from now on.
const linksFromNow = `date_trunc('second', clock_timestamp()) + interval '1 second'`

// endLinks invalidates a person's open links and the signed links in mails sent to them so far.
func endLinks(ctx context.Context, tx pgx.Tx, id ticket.PersonID) error {
	_, err := tx.Exec(ctx, `UPDATE links SET expires_at = least(expires_at, clock_timestamp())
		WHERE person = $1 AND used_at IS NULL`, id)
	if err == nil {
		_, err = tx.Exec(ctx, `UPDATE people SET links_since = `+linksFromNow+` WHERE id = $1`, id)
	}
	return err
}

// AddSignIn adds a sign-in link for the person with an address. It returns NotFound if there is none or they are
// disabled.
func (a *Accounts) AddSignIn(ctx context.Context, id, address string, lasts time.Duration) error {
	err := a.within(ctx, func(tx pgx.Tx) error {
		var person ticket.PersonID
		err := tx.QueryRow(ctx, `
			INSERT INTO links (id, purpose, person, expires_at)
			SELECT @id, 'sign-in', p.id, clock_timestamp() + @lasts FROM people p
			WHERE p.id = `+ownerOf("@address")+` AND p.disabled_at IS NULL RETURNING person`,
			pgx.StrictNamedArgs{"id": id, "address": address, "lasts": lasts}).Scan(&person)
		if err != nil {
			return missing(err, errNoPerson)
		}
		return record(ctx, tx, account.Event{Kind: account.EventLinkCreated, Person: person})
	})
	return explain(err, "make a link")
}
