package account

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Kind is the kind of an account mail.
type Kind string

// The kinds of mails without a link. A mail with a link has the link's purpose as its kind.
const (
	AddressChanged    Kind = "address-changed"    // to the previous address
	AddressConfirmed  Kind = "address-confirmed"  // to the new address
	AlreadyRegistered Kind = "already-registered" // the registered address has an account already
	PasswordChanged   Kind = "password-changed"
	PasswordSet       Kind = "password-set" // the first one
	TokenMade         Kind = "token-made"
)

// Kinds returns all kinds of account mails.
func Kinds() []Kind {
	return []Kind{
		Kind(SignIn), Kind(Reset), Kind(Move), Kind(Verify), Kind(Invitation),
		AddressChanged, AddressConfirmed, AlreadyRegistered, PasswordChanged, PasswordSet, TokenMade,
	}
}

// Owed is an account mail as it is stored until it is sent.
type Owed struct {
	ID     int64
	Kind   Kind
	To     desk.Mailbox
	At     time.Time // when the reported change happened
	LinkID string    // empty: it has no link
	Label  string    // TokenMade: the token's
	Writes bool      // TokenMade: it may write
	Until  time.Time // pointless to send after
	Tries  int       // failed attempts
}

// Letter holds the data that an account mail is rendered from. It is built when the mail is sent and never stored.
type Letter struct {
	ID     int64 // determines the Message-ID
	Kind   Kind
	To     desk.Mailbox // without a name for registrations, where anybody may have typed it
	At     time.Time    // when the reported change happened
	URL    string       // the link; empty: none
	Label  string       // TokenMade: the token's
	Writes bool         // TokenMade: it may write
	Until  time.Time    // when the link expires
	Tries  int
	Policy *policy.Policy // the current version: time zone, contact, privacy notice, name

	Notices []desk.Notice // emergencies at the time of sending
}

// NextLetter takes an owed mail for a while, for one try to send it. When none is owed now, found is false, and next says
// when one may be; zero: not before AwaitMails tells of it.
func (s *Service) NextLetter(ctx context.Context, lifetime time.Duration) (l Letter, found bool, next time.Time, err error) {
	// Read first: a mail taken and not sent would wait for its claim to end.
	_, inForce, _, err := s.store.PolicyInForce(ctx)
	if err != nil {
		return Letter{}, false, time.Time{}, err
	}
	if _, err := s.store.Secret(ctx, linkSecret); err != nil {
		return Letter{}, false, time.Time{}, err
	}
	emergencies, err := s.store.Notices(ctx)
	if err != nil {
		return Letter{}, false, time.Time{}, err
	}
	m, found, next, err := s.store.NextMail(ctx, lifetime)
	if err != nil || !found {
		return Letter{}, false, next, err
	}
	l = Letter{ID: m.ID, Kind: m.Kind, To: m.To, At: m.At, Label: m.Label, Writes: m.Writes, Until: m.Until, Tries: m.Tries, Policy: inForce}
	l.Notices = desk.NoticesAt(emergencies, time.Now())
	if m.LinkID != "" {
		l.URL, err = s.url(ctx, m.LinkID)
	}
	return l, true, time.Time{}, err
}

// Hold renews the claim on a mail that is on its way.
func (s *Service) Hold(ctx context.Context, id int64, lifetime time.Duration) error {
	return s.store.HoldMail(ctx, id, lifetime)
}

// Sent notes that a mail has left.
func (s *Service) Sent(ctx context.Context, id int64) error { return s.store.SettleMail(ctx, id, "") }

// GivenUp notes that a mail never will, and why.
func (s *Service) GivenUp(ctx context.Context, id int64, reason string) error {
	return s.store.SettleMail(ctx, id, reason)
}

// PutOff has a mail tried again after a pause.
func (s *Service) PutOff(ctx context.Context, id int64, pause time.Duration) error {
	return s.store.PutMailOff(ctx, id, pause)
}

// AwaitMails calls wake at once and whenever a mail is owed, until ctx ends or PostgreSQL goes away.
func (s *Service) AwaitMails(ctx context.Context, wake func()) error {
	return s.store.AwaitMails(ctx, wake)
}
