package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	errDisabled   = fault.NewConflict("person-disabled", "the account with that address is disabled")
	errNotContact = fault.NewConflict("not-a-contact", "only the address of a contact can be corrected; people with an account change theirs themselves")
)

// ownerOf returns the expression for the ID of the person who has an address, in any case; null if none has it. argument
// is the address's placeholder.
func ownerOf(argument string) string {
	return `(SELECT person FROM person_addresses WHERE lower(address) = lower(` + argument + `))`
}

// PersonByAddress returns the person who has an address, as their main one or a further one, in any case. It returns NotFound
// if there is none or they are disabled.
func (s *Store) PersonByAddress(ctx context.Context, address string) (desk.Person, error) {
	return s.person(ctx, s.pool, `disabled_at IS NULL AND id = `+ownerOf("$1"), address)
}

// EnsureContact returns the person who has an address, and adds a contact if there is none: a customer without an account. An
// empty name is replaced by the part of the address before the @. by is who adds them, and is empty if they wrote themselves.
//
// Its error is Invalid on "address" or "name", and Conflict if the person with the address is disabled.
func (s *Store) EnsureContact(ctx context.Context, by ticket.PersonID, name, address string) (desk.Person, error) {
	p := desk.Person{Role: ticket.RoleCustomer, Name: name, Address: address}
	if name == "" {
		p.Name = nameFrom(address)
	}
	if err := p.Check(); err != nil {
		return desk.Person{}, err
	}
	if err := s.checkAddress("address", address); err != nil {
		return desk.Person{}, err
	}
	found, err := s.PersonByAddress(ctx, address)
	if !errors.Is(err, errNoPerson) {
		return found, err
	}
	err = s.within(ctx, func(tx pgx.Tx) (err error) {
		if p, err = addPerson(ctx, tx, p); err != nil {
			return err
		}
		if _, err := tx.Exec(ctx, `UPDATE people SET claimed_at = NULL WHERE id = $1`, p.ID); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventContactAdded, Person: p.ID, Actor: by})
	})
	if errors.Is(err, errAddressTaken) { // by another request meanwhile, or by someone who is disabled
		if found, err = s.PersonByAddress(ctx, address); errors.Is(err, errNoPerson) {
			err = errDisabled
		}
		return found, err
	}
	return p, explain(err, "add a contact")
}

// HasAccount reports whether a person has an account, unlike a contact.
func (s *Store) HasAccount(ctx context.Context, id ticket.PersonID) (has bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT claimed_at IS NOT NULL FROM people WHERE id = $1`, id).Scan(&has)
	return has, explain(missing(err, errNoPerson), "read whether %s has an account", id)
}

// nameFrom returns a name for the owner of an address of whom nothing else is known.
func nameFrom(address string) string {
	local, _, _ := strings.Cut(address, "@")
	if desk.ValidName(local) {
		return local
	}
	return "Customer"
}

// CorrectContact changes the address of a contact, and invalidates the links that were sent to the old one. It returns
// Forbidden unless by is staff, NotFound if there is no such person, Conflict if they have an account or someone else has the
// address, and Invalid on "address".
func (s *Store) CorrectContact(ctx context.Context, by desk.Person, id ticket.PersonID, address string) error {
	switch {
	case !by.Role.Staff():
		return ticket.ErrRole
	case !desk.ValidAddress(address):
		return fault.Field("address", "must be an email address")
	}
	if err := s.checkAddress("address", address); err != nil {
		return err
	}
	err := s.within(ctx, func(tx pgx.Tx) error {
		var old string
		var contact bool
		err := tx.QueryRow(ctx, `SELECT address, claimed_at IS NULL FROM people WHERE id = $1 AND disabled_at IS NULL FOR NO KEY UPDATE`, id).
			Scan(&old, &contact)
		switch {
		case err != nil:
			return missing(err, errNoPerson)
		case !contact:
			return errNotContact
		case old == address:
			return nil
		}
		err = changeOne(ctx, tx, errAddressTaken, "correct an address",
			`UPDATE people SET address = $2 WHERE id = $1 AND coalesce(`+ownerOf("$2")+`, $1) = $1`, id, address)
		if err == nil {
			err = endLinks(ctx, tx, id)
		}
		if err != nil {
			return err
		}
		return record(ctx, tx, account.Event{
			Kind: account.EventContactCorrected, Person: id, Actor: by.ID, Detail: "from " + old + " to " + address,
		})
	})
	return uniqueConflict(err, "correct the address of a contact")
}
