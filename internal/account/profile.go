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

// Proof is what shows, beyond the session, that it is its owner who asks: a session left open should not be enough to
// take an account.
type Proof struct {
	Current string // password; of those who have one
	Recent  bool   // they signed in a short while ago, in this session; of those who have none
}

// CodeSignInAgain is the code of an Unauthenticated fault: the session's owner has no password, and signed in too long ago.
const CodeSignInAgain = "sign-in-again"

var errSignInAgain = &fault.Error{Kind: fault.Unauthenticated, Code: CodeSignInAgain, Message: "sign in again first"}

// ChangePassword chooses a new one, or a first one. Somebody who has one proves it: Invalid, field current, when it is wrong.
// Somebody who has none must have signed in recently: CodeSignInAgain. All their sessions and links end, and their tokens
// unless they are to be kept; the entry begins a new session.
func (s *Service) ChangePassword(ctx context.Context, source string, who desk.Person, proof Proof, password string, tokens Tokens) (Entry, error) {
	if err := s.prove(ctx, source, who, proof); err != nil {
		return Entry{}, err
	}
	hash, err := s.chosen(ctx, password, who)
	if err != nil {
		return Entry{}, err
	}
	return s.vault.SetPassword(ctx, who.ID, hash, tokens)
}

// ChangeAddress mails a link to the new address, which is in force when the link has been used. A proof is asked for as in
// ChangePassword.
func (s *Service) ChangeAddress(ctx context.Context, source string, who desk.Person, proof Proof, address string) error {
	address = strings.TrimSpace(address)
	switch {
	case !desk.ValidAddress(address):
		return errNoAddress
	case strings.EqualFold(address, who.Address):
		return fault.Field("address", "is the one that you have")
	}
	if err := s.prove(ctx, source, who, proof); err != nil {
		return err
	}
	if _, err := s.spend(ctx, string(who.ID), source, movesOfPerson, mailsOfSource); err != nil {
		return err
	}
	return s.vault.AskMove(ctx, newID(), who.ID, address, lasts[Move])
}

// prove asks for the password of somebody who has one, and for a recent sign-in of the others.
func (s *Service) prove(ctx context.Context, source string, who desk.Person, proof Proof) error {
	profile, err := s.vault.Profile(ctx, who.ID)
	switch {
	case err != nil:
		return err
	case !profile.PasswordSetAt.IsZero():
		_, err = s.repeated(ctx, source, profile.Person, proof.Current)
		return err
	case !proof.Recent:
		return errSignInAgain
	}
	return nil
}

// repeated checks the password of somebody who is signed in: Invalid, field current, when it is wrong. It has an allowance of
// its own, which only their sessions can use up.
func (s *Service) repeated(ctx context.Context, source string, who desk.Person, password string) (Entry, error) {
	refund, err := s.spend(ctx, string(who.ID), source, repeatsOfPerson, signInsOfSource)
	if err != nil {
		return Entry{}, err
	}
	in, err := s.proven(ctx, who.Address, password)
	if fault.KindOf(err) == fault.Unauthenticated {
		if err := s.vault.RecordFailure(ctx, who.Address, "password, signed in already"); err != nil {
			return Entry{}, err
		}
		return Entry{}, fault.Field("current", "is not your password")
	}
	if err != nil {
		return Entry{}, err
	}
	return in, refund()
}

// SignInAgain lets somebody who is signed in prove it once more by their password: Invalid, field current, when it is
// wrong or they have none.
func (s *Service) SignInAgain(ctx context.Context, source string, who desk.Person, password string) (Entry, error) {
	in, err := s.repeated(ctx, source, who, password)
	if err != nil {
		return Entry{}, err
	}
	return in, s.vault.Record(ctx, Event{Kind: EventSignedIn, Person: in.Person.ID, Actor: in.Person.ID, Detail: "by password, again"})
}

// SignOutEverywhere ends all of somebody's sessions and links, and their tokens unless they are to be kept; the entry
// may begin a new session.
func (s *Service) SignOutEverywhere(ctx context.Context, who desk.Person, tokens Tokens) (Entry, error) {
	return s.vault.EndAll(ctx, who.ID, tokens)
}
