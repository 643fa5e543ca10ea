package account

import (
	"context"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Profile is what somebody sees of their own account.
type Profile struct {
	Person        desk.Person
	PasswordSetAt time.Time // zero: they have none
	Since         time.Time
	Identities    []string // issuers that vouch for them
}

// Profile gives somebody's own account.
func (s *Service) Profile(ctx context.Context, who desk.Person) (Profile, error) {
	return s.vault.Profile(ctx, who.ID)
}

// ChangeName changes how others see somebody.
func (s *Service) ChangeName(ctx context.Context, who desk.Person, name string) error {
	name = strings.TrimSpace(name)
	if !desk.ValidName(name) {
		return errName
	}
	return s.vault.Rename(ctx, who.ID, name)
}

// ChangePassword chooses a new one. Whoever has one proves it first: Invalid, field current, when it is wrong. All their
// sessions end; the entry begins a new one.
func (s *Service) ChangePassword(ctx context.Context, source string, who desk.Person, current, password string) (Entry, error) {
	if err := s.prove(ctx, source, who, current); err != nil {
		return Entry{}, err
	}
	hash, err := s.chosen(ctx, password, who)
	if err != nil {
		return Entry{}, err
	}
	return s.vault.SetPassword(ctx, who.ID, hash)
}

// ChangeAddress mails a link to the new address, which is in force when the link has been used. The current password is
// asked for as in ChangePassword.
func (s *Service) ChangeAddress(ctx context.Context, source string, who desk.Person, current, address string) error {
	address = strings.TrimSpace(address)
	switch {
	case !desk.ValidAddress(address):
		return errNoAddress
	case strings.EqualFold(address, who.Address):
		return fault.Field("address", "is the one that you have")
	}
	if err := s.prove(ctx, source, who, current); err != nil {
		return err
	}
	if _, err := s.spend(ctx, address, source, mailsToAddress, mailsOfSource); err != nil {
		return err
	}
	return s.vault.AskMove(ctx, newID(), who.ID, address, lasts[Move])
}

// prove asks for the password of somebody who has one: a session left open should not be enough to take an account.
func (s *Service) prove(ctx context.Context, source string, who desk.Person, current string) error {
	profile, err := s.vault.Profile(ctx, who.ID)
	if err != nil || profile.PasswordSetAt.IsZero() {
		return err
	}
	address := profile.Person.Address
	refund, err := s.spend(ctx, address, source, signInsOfAddress, signInsOfSource)
	if err != nil {
		return err
	}
	if _, err := s.proven(ctx, address, current); err != nil {
		if fault.KindOf(err) == fault.Unauthenticated {
			return fault.Field("current", "is not your password")
		}
		return err
	}
	return refund()
}

// SignOutEverywhere ends all of somebody's sessions and calls their links off; the entry may begin a new session.
func (s *Service) SignOutEverywhere(ctx context.Context, who desk.Person) (Entry, error) {
	return s.vault.EndAll(ctx, who.ID)
}
