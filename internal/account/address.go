package account

import (
	"context"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// MaxAddresses is the maximum number of addresses of an account, with the primary one.
const MaxAddresses = 10

// AddAddress mails a link to a further address; ConfirmAddress uses it. Mail from the address is then the person's, and they can
// sign in with it. Proof is required as for ChangePassword. The response is the same if the address
// belongs to someone else. It returns an Invalid fault for the field address, and a Conflict fault if there are too many.
func (s *Service) AddAddress(ctx context.Context, source string, who desk.Person, proof Proof, address string) error {
	address = strings.TrimSpace(address)
	if !desk.ValidAddress(address) {
		return errNoAddress
	}
	profile, err := s.store.Profile(ctx, who.ID)
	if err != nil {
		return err
	}
	same := func(a string) bool { return strings.EqualFold(a, address) }
	switch {
	case same(profile.Person.Address), slices.ContainsFunc(profile.Addresses, same):
		return fault.Field("address", "is already one of your addresses")
	case len(profile.Addresses)+1 >= MaxAddresses:
		return fault.NewConflict("too-many-addresses", "you have %d addresses, which is the maximum; remove one first", MaxAddresses)
	}
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return err
	}
	if _, err := s.limitBoth(ctx, string(who.ID), source, addressesPerPerson, mailsPerSource); err != nil {
		return err
	}
	return s.store.RequestAddress(ctx, newID(), who.ID, address, lifetime[AddAddress])
}

// ConfirmAddress uses the link of AddAddress and returns the address, which is now one of the account's. Only the account that
// asked for the link can use it: if opening it were enough, the owner of the address could give it, and the tickets of its
// contact, to a stranger who asked. It returns a NotFound fault if the link is not valid, a Forbidden fault if it is another account's,
// and a Conflict fault if another account has the address by now.
func (s *Service) ConfirmAddress(ctx context.Context, who desk.Person, token string) (string, error) {
	link, err := s.Open(ctx, token)
	switch {
	case err != nil:
		return "", err
	case link.Purpose != AddAddress:
		return "", errInvalidLink
	case link.Person.ID != who.ID:
		return "", fault.New(fault.Forbidden, "this link belongs to another account")
	}
	return link.Address, s.store.ConfirmAddress(ctx, link.ID, MaxAddresses)
}

// SetPrimaryAddress makes a further address the primary one, to which emails go. Proof is required as for ChangePassword. It
// returns a NotFound fault unless it is a further address of the person.
func (s *Service) SetPrimaryAddress(ctx context.Context, source string, who desk.Person, proof Proof, address string) error {
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return err
	}
	return s.store.SetPrimaryAddress(ctx, who.ID, strings.TrimSpace(address))
}

// RemoveAddress removes a further address, and links in earlier emails no longer work. Proof and errors are as for
// SetPrimaryAddress.
func (s *Service) RemoveAddress(ctx context.Context, source string, who desk.Person, proof Proof, address string) error {
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return err
	}
	return s.store.RemoveAddress(ctx, who.ID, strings.TrimSpace(address))
}
