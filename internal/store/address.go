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

var (
	errNoAddress        = fault.New(fault.NotFound, "you have no such further address")
	errTooManyAddresses = fault.NewConflict("too-many-addresses", "you have as many addresses as an account can have; remove one first")
)

// checkAddress returns an Invalid fault on field if an address is one of the desk: mail between the desk and itself would
// go round in circles.
func (s *Store) checkAddress(field, address string) error {
	if s.own != nil && s.own(address) {
		return fault.Field(field, "is an address of this desk")
	}
	return nil
}

// RequestAddress adds a link that confirms a further address of a person, and the mail that carries it to the address. If that
// belongs to another account already, it adds a mail to its owner instead. Its error is Invalid on "address".
func (a *Accounts) RequestAddress(ctx context.Context, linkID string, id ticket.PersonID, address string, lasts time.Duration) error {
	if err := a.checkAddress("address", address); err != nil {
		return err
	}
	asked := account.Event{Kind: account.EventAddressRequested, Person: id, Actor: id, Detail: address}
	return a.addLink(ctx, "make a link to a new address", asked, `
		WITH whom AS (
			SELECT p.name, a.address, p.disabled_at FROM person_addresses a JOIN people p ON p.id = a.person
			WHERE lower(a.address) = lower(@address) AND p.id <> @person AND (p.claimed_at IS NOT NULL OR p.disabled_at IS NOT NULL)
		), older AS (
			UPDATE links SET expires_at = least(expires_at, clock_timestamp())
			WHERE person = @person AND purpose = 'address' AND used_at IS NULL AND lower(address) = lower(@address)
		), made AS (
			INSERT INTO links (id, purpose, person, address, expires_at)
			VALUES (@id, 'address', @person, @address, clock_timestamp() + @lasts)
		), owed AS (
			INSERT INTO deliveries (queue, kind, name, address, link, expires_at, status, settled_at, reason, trace)
			SELECT 'account', CASE WHEN w.address IS NULL THEN 'address' ELSE 'already-registered' END,
				coalesce(w.name, ''), coalesce(w.address, @address), CASE WHEN w.address IS NULL THEN @id END,
				clock_timestamp() + @lasts, CASE WHEN w.disabled_at IS NULL THEN 'owed' ELSE 'bounced' END, w.disabled_at, CASE WHEN w.disabled_at IS NOT NULL THEN 'the account with that address is disabled' END,
				nullif(@trace, '')
			FROM (VALUES (1)) always LEFT JOIN whom w ON true
		)
		SELECT '', pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"id": linkID, "person": id, "address": address, "lasts": lasts})
}

// ConfirmAddress uses a link that adds an address to an account. If the address is that of a contact, the contact is merged into
// the account, which must be a customer's. Its error is Conflict if someone else has the address by now, or the account has most
// addresses already.
func (a *Accounts) ConfirmAddress(ctx context.Context, id string, most int) error {
	var merged []ticket.Number
	err := a.useLinkFor(ctx, id, func(tx pgx.Tx, l account.Link) error {
		if err := a.checkAddress("address", l.Address); err != nil { // since the link was made
			return err
		}
		if err := a.lockAddresses(ctx, tx, l.Person.ID, most); err != nil {
			return err
		}
		added, err := addAddress(ctx, tx, l.Person.ID, l.Address)
		if err == nil && !added {
			var owner ticket.PersonID
			if owner, err = mergeable(ctx, tx, l.Person, l.Address); err == nil && owner != l.Person.ID {
				merged, err = merge(ctx, tx, owner, l.Person.ID, l.Address)
				added = true
			}
		}
		if err != nil || !added {
			return err
		}
		return a.reportAddress(ctx, tx, account.AddressAdded, account.EventAddressAdded, l.Person, l.Address)
	}, account.AddAddress)
	if err == nil {
		a.notifyAccepted(merged)
	}
	return err
}

// lockAddresses serializes changes of a person's addresses, so that their number holds.
func (a *Accounts) lockAddresses(ctx context.Context, tx pgx.Tx, id ticket.PersonID, most int) error {
	if _, err := a.person(ctx, tx, `disabled_at IS NULL AND id = $1 FOR NO KEY UPDATE`, string(id)); err != nil {
		return err
	}
	var n int
	if err := tx.QueryRow(ctx, `SELECT count(*) FROM person_addresses WHERE person = $1`, id).Scan(&n); err != nil {
		return err
	}
	if n >= most {
		return errTooManyAddresses
	}
	return nil
}

// addAddress adds a further address, and returns false if another person has it.
func addAddress(ctx context.Context, tx pgx.Tx, id ticket.PersonID, address string) (bool, error) {
	tag, err := tx.Exec(ctx, `INSERT INTO person_addresses (address, person) VALUES ($1, $2) ON CONFLICT DO NOTHING`, address, id)
	return tag.RowsAffected() == 1, err
}

// mergeable locks and returns the owner of an address if they are the person themselves, or a contact who can be merged into
// them. It returns errAddressTaken otherwise.
func mergeable(ctx context.Context, tx pgx.Tx, into desk.Person, address string) (owner ticket.PersonID, err error) {
	var contact bool
	err = tx.QueryRow(ctx, `SELECT id, claimed_at IS NULL AND disabled_at IS NULL AND role = 'customer' FROM people
		WHERE id = `+ownerOf("$1")+` FOR NO KEY UPDATE`, address).Scan(&owner, &contact)
	switch {
	case errors.Is(err, pgx.ErrNoRows): // it was removed at this moment
		return "", errAddressTaken
	case err != nil:
		return "", err
	case owner != into.ID && (!contact || into.Role != ticket.RoleCustomer):
		return "", errAddressTaken
	}
	return owner, nil
}

// reportAddress adds the mail and the security event about an address that was added to an account or removed from it.
func (a *Accounts) reportAddress(ctx context.Context, tx pgx.Tx, mail account.MailKind, kind account.EventKind, p desk.Person, address string) error {
	_, err := tx.Exec(ctx, `
		WITH owed AS (
			INSERT INTO deliveries (queue, kind, name, address, about_address, expires_at, trace)
			VALUES ('account', @kind, @name, @address, @about, clock_timestamp() + @lasts, nullif(@trace, ''))
		)
		SELECT pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"kind": mail, "name": p.Name, "address": p.Address, "about": address, "lasts": noticeLifetime, "trace": a.traceOf(ctx)})
	if err != nil {
		return err
	}
	return record(ctx, tx, account.Event{Kind: kind, Person: p.ID, Actor: p.ID, Detail: address})
}

// RemoveAddress removes a further address of a person, and invalidates the links in mails sent so far, since some may have gone
// there. It returns NotFound if the person has no such further address.
func (a *Accounts) RemoveAddress(ctx context.Context, id ticket.PersonID, address string) error {
	err := a.within(ctx, func(tx pgx.Tx) error {
		p, err := a.person(ctx, tx, `disabled_at IS NULL AND id = $1 FOR NO KEY UPDATE`, string(id))
		if err != nil {
			return err
		}
		var removed string
		err = tx.QueryRow(ctx, `DELETE FROM person_addresses WHERE person = $1 AND lower(address) = lower($2) AND NOT main RETURNING address`, id, address).Scan(&removed)
		if err != nil {
			return missing(err, errNoAddress)
		}
		if err := endLinks(ctx, tx, id); err != nil {
			return err
		}
		return a.reportAddress(ctx, tx, account.AddressRemoved, account.EventAddressRemoved, p, removed)
	})
	return explain(err, "remove an address of %s", id)
}

// SetPrimaryAddress makes a further address of a person the one to which mails go. The former one remains a further one. It adds a
// mail to both. It returns NotFound if the person has no such further address.
func (a *Accounts) SetPrimaryAddress(ctx context.Context, id ticket.PersonID, address string) error {
	err := a.within(ctx, func(tx pgx.Tx) error {
		was, err := a.person(ctx, tx, `disabled_at IS NULL AND id = $1 FOR NO KEY UPDATE`, string(id))
		if err != nil {
			return err
		}
		is := was
		err = tx.QueryRow(ctx, `UPDATE people p SET address = a.address FROM person_addresses a
			WHERE p.id = $1 AND a.person = $1 AND lower(a.address) = lower($2) AND NOT a.main RETURNING p.address`, id, address).Scan(&is.Address)
		if err != nil {
			return missing(err, errNoAddress)
		}
		if _, err := addAddress(ctx, tx, id, was.Address); err != nil {
			return err
		}
		if err := a.insertAccountMail(ctx, tx, account.AddressChanged, was); err != nil {
			return err
		}
		if err := a.insertAccountMail(ctx, tx, account.AddressConfirmed, is); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{
			Kind: account.EventAddressChanged, Person: id, Actor: id, Detail: "from " + was.Address + " to " + is.Address,
		})
	})
	return explain(uniqueConflict(err, "choose an address"), "change the address of %s", id)
}
