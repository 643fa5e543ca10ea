package account

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Kind is what a mail says.
type Kind string

// The kinds of mails that carry no link that could open anything. The others are called as their link's purpose.
const (
	AddressChanged    Kind = "address-changed"    // to the old address
	AddressConfirmed  Kind = "address-confirmed"  // to the new one
	AlreadyRegistered Kind = "already-registered" // somebody registered an address that has an account
	PasswordChanged   Kind = "password-changed"
	PasswordSet       Kind = "password-set" // the first one
	TokenMade         Kind = "token-made"
)

// Kinds lists all kinds of mails.
func Kinds() []Kind {
	return []Kind{
		Kind(SignIn), Kind(Reset), Kind(Move), Kind(Verify), Kind(Invitation),
		AddressChanged, AddressConfirmed, AlreadyRegistered, PasswordChanged, PasswordSet, TokenMade,
	}
}

// Owed is a mail as it is kept.
type Owed struct {
	ID     int64
	Kind   Kind
	To     desk.Mailbox
	At     time.Time // what it reports happened then
	LinkID string    // empty: it carries none
	Label  string    // TokenMade: the token's
	Writes bool      // TokenMade: it may write
	Until  time.Time // it is of no use to anybody then
	Tries  int       // that failed
}

// Letter is everything that such a mail's words are made from. It is made when the mail is sent and kept nowhere.
type Letter struct {
	ID     int64 // makes the Message-ID
	Kind   Kind
	To     desk.Mailbox // a registration is not greeted by the name that somebody typed
	At     time.Time    // what it reports happened then
	URL    string       // the link; empty: none
	Label  string       // TokenMade: the token's
	Writes bool         // TokenMade: it may write
	Until  time.Time    // when the link ends
	Tries  int
	Policy *policy.Policy // in force: zone, contact, privacy link, name

	Notices []desk.Notice // of emergencies, when it is sent
}

// NextLetter takes an owed mail for a while, for one try to send it. When none is owed now, found is false, and next says
// when one may be; zero: not before AwaitMails tells of it.
func (s *Service) NextLetter(ctx context.Context, lasts time.Duration) (l Letter, found bool, next time.Time, err error) {
	// Read first: a mail taken and not sent would wait for its claim to end.
	_, inForce, _, err := s.vault.PolicyInForce(ctx)
	if err != nil {
		return Letter{}, false, time.Time{}, err
	}
	if _, err := s.vault.Secret(ctx, linkSecret); err != nil {
		return Letter{}, false, time.Time{}, err
	}
	emergencies, err := s.vault.Notices(ctx)
	if err != nil {
		return Letter{}, false, time.Time{}, err
	}
	m, found, next, err := s.vault.NextMail(ctx, lasts)
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
func (s *Service) Hold(ctx context.Context, id int64, lasts time.Duration) error {
	return s.vault.HoldMail(ctx, id, lasts)
}

// Sent notes that a mail has left.
func (s *Service) Sent(ctx context.Context, id int64) error { return s.vault.SettleMail(ctx, id, "") }

// GivenUp notes that a mail never will, and why.
func (s *Service) GivenUp(ctx context.Context, id int64, reason string) error {
	return s.vault.SettleMail(ctx, id, reason)
}

// PutOff has a mail tried again after a pause.
func (s *Service) PutOff(ctx context.Context, id int64, pause time.Duration) error {
	return s.vault.PutMailOff(ctx, id, pause)
}

// AwaitMails calls wake at once and whenever a mail is owed, until ctx ends or PostgreSQL goes away.
func (s *Service) AwaitMails(ctx context.Context, wake func()) error {
	return s.vault.AwaitMails(ctx, wake)
}
