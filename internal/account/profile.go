package account

import (
	"context"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Profile is a person's own account.
type Profile struct {
	Person        desk.Person
	PasswordSetAt time.Time // zero: no password
	Since         time.Time
	Identities    []string // issuers of linked identities
}

// Profile returns a person's own account.
func (s *Service) Profile(ctx context.Context, who desk.Person) (Profile, error) {
	return s.store.Profile(ctx, who.ID)
}

// ChangeName changes a person's display name.
func (s *Service) ChangeName(ctx context.Context, who desk.Person, name string) error {
	name = strings.TrimSpace(name)
	if !desk.ValidName(name) {
		return errName
	}
	return s.store.Rename(ctx, who.ID, name)
}

// Proof shows that the request comes from the account's owner and not only from an open session, which must not be
// enough to take over an account.
type Proof struct {
	Current string // current password, if there is one
	Recent  bool   // signed in recently in this session; used if there is no password
}

// CodeReauthenticate is the code of the Unauthenticated fault for a person without a password who signed in too long ago.
const CodeReauthenticate = "sign-in-again"

var errSignInAgain = &fault.Error{Kind: fault.Unauthenticated, Code: CodeReauthenticate, Message: "sign in again to continue"}

// ChangePassword sets a new or a first password. A person with a password must prove it; if it is wrong, an Invalid
// fault for the field current is returned. A person without one must have signed in recently, or a fault with
// CodeReauthenticate is returned. All sessions and links end, and tokens unless they are kept; the Authenticated is for a new
// session.
func (s *Service) ChangePassword(ctx context.Context, source string, who desk.Person, proof Proof, password string, tokens Tokens) (Authenticated, error) {
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return Authenticated{}, err
	}
	hash, err := s.hashNew(ctx, password, who)
	if err != nil {
		return Authenticated{}, err
	}
	return s.store.SetPassword(ctx, who.ID, hash, tokens)
}

// ChangeAddress mails a link to the new address; using the link changes the address. Proof is required as for
// ChangePassword.
func (s *Service) ChangeAddress(ctx context.Context, source string, who desk.Person, proof Proof, address string) error {
	address = strings.TrimSpace(address)
	switch {
	case !desk.ValidAddress(address):
		return errNoAddress
	case strings.EqualFold(address, who.Address):
		return fault.Field("address", "is already your address")
	}
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return err
	}
	if _, err := s.limitBoth(ctx, string(who.ID), source, addressChangesPerPerson, mailsPerSource); err != nil {
		return err
	}
	return s.store.AskMove(ctx, newID(), who.ID, address, lifetime[ChangeAddress])
}

// requireProof requires the password of a person who has one, and a recent sign-in of others.
func (s *Service) requireProof(ctx context.Context, source string, who desk.Person, proof Proof) error {
	profile, err := s.store.Profile(ctx, who.ID)
	switch {
	case err != nil:
		return err
	case !profile.PasswordSetAt.IsZero():
		_, err = s.reauthenticate(ctx, source, profile.Person, proof.Current)
		return err
	case !proof.Recent:
		return errSignInAgain
	}
	return nil
}

// reauthenticate checks the password of a person who is signed in. If it is wrong, it returns an Invalid fault for the
// field current. Its limit is separate from SignIn's, so that only their own sessions can exhaust it.
func (s *Service) reauthenticate(ctx context.Context, source string, who desk.Person, password string) (Authenticated, error) {
	refund, err := s.limitBoth(ctx, string(who.ID), source, reauthenticationsPerPerson, signInsPerSource)
	if err != nil {
		return Authenticated{}, err
	}
	in, err := s.authenticate(ctx, who.Address, password)
	if fault.KindOf(err) == fault.Unauthenticated {
		if err := s.store.RecordFailure(ctx, who.Address, "password, signed in already"); err != nil {
			return Authenticated{}, err
		}
		return Authenticated{}, fault.Field("current", "is not your password")
	}
	if err != nil {
		return Authenticated{}, err
	}
	return in, refund()
}

// Reauthenticate authenticates a person who is signed in once more. It returns an Invalid fault for the field current if
// the password is wrong or there is none.
func (s *Service) Reauthenticate(ctx context.Context, source string, who desk.Person, password string) (Authenticated, error) {
	in, err := s.reauthenticate(ctx, source, who, password)
	if err != nil {
		return Authenticated{}, err
	}
	return in, s.store.Record(ctx, Event{Kind: EventSignedIn, Person: in.Person.ID, Actor: in.Person.ID, Detail: "by password, again"})
}

// SignOutEverywhere ends all sessions and links of a person, and tokens unless they are kept. The Authenticated may be used for
// a new session.
func (s *Service) SignOutEverywhere(ctx context.Context, who desk.Person, tokens Tokens) (Authenticated, error) {
	return s.store.EndAll(ctx, who.ID, tokens)
}
