package account

import (
	"context"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// Profile is a person's own account.
type Profile struct {
	Person        desk.Person
	Signature     string    // of staff, below their name in emails; may be empty
	PasswordSetAt time.Time // zero: no password
	Since         time.Time
	Identities    []string // issuers of linked identities
	Addresses     []string // further ones, beside that of Person, in alphabetical order
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

// MaxSignature is the maximum length of a signature, in characters.
const MaxSignature = 1000

var (
	errSignature   = fault.Field("signature", "must be at most 1000 characters of plain text")
	errNoSignature = fault.New(fault.Forbidden, "only staff have a signature")
)

// ChangeSignature changes what a member of staff signs emails to requesters with, below their name. It is plain text.
func (s *Service) ChangeSignature(ctx context.Context, who desk.Person, signature string) error {
	signature = strings.TrimSpace(strings.ReplaceAll(signature, "\r\n", "\n"))
	invalid := func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }
	switch {
	case !who.Role.Staff():
		return errNoSignature
	case utf8.RuneCountInString(signature) > MaxSignature || !utf8.ValidString(signature) || strings.ContainsFunc(signature, invalid):
		return errSignature
	}
	return s.store.Sign(ctx, who.ID, signature)
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

// Token describes an API token without its secret.
type Token struct {
	ID        int64
	Label     string
	CreatedAt time.Time
	LastUsed  time.Time // to the minute; zero: never
	Writes    bool      // false: read-only
}

// Tokens says whether API tokens are kept when all sessions end.
type Tokens bool

// Tokens end unless their owner wants to keep them.
const (
	RevokeTokens Tokens = false
	KeepTokens   Tokens = true
)

// String returns a description for security events.
func (t Tokens) String() string {
	if t == KeepTokens {
		return "API tokens kept"
	}
	return "API tokens ended"
}

const (
	maxLabel  = 80
	maxTokens = 20
)

// CodeTokenExists is the code of the Conflict fault for a form that has created a token already.
const CodeTokenExists = "token-made"

// Tokens returns a person's active tokens, newest first.
func (s *Service) Tokens(ctx context.Context, who desk.Person) ([]Token, error) {
	return s.store.Tokens(ctx, who.ID)
}

// CreateToken creates a token, whose secret is returned only here, and mails its owner. Proof is required as for
// ChangePassword, because a token outlives the session. once is an idempotency key; empty means none. It returns a
// Conflict fault if there are too many tokens, or one with the same key (CodeTokenExists).
func (s *Service) CreateToken(ctx context.Context, source string, who desk.Person, proof Proof, once, label string, writes bool) (string, error) {
	label = strings.TrimSpace(label)
	if utf8.RuneCountInString(label) > maxLabel || !desk.ValidName(label) {
		return "", fault.Field("label", "must have 1 to %d characters, in one line and all of them visible", maxLabel)
	}
	if err := s.requireProof(ctx, source, who, proof); err != nil {
		return "", err
	}
	return s.store.MakeToken(ctx, who.ID, once, label, writes, maxTokens)
}

// RevokeToken revokes a person's token. It returns a NotFound fault if they have no such active token.
func (s *Service) RevokeToken(ctx context.Context, who desk.Person, token int64) error {
	return s.store.RevokeToken(ctx, who.ID, token)
}
