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

// Letter returns the data of a mail, and its delivery status. It returns a NotFound fault if there is no such mail.
func (s *Service) Letter(ctx context.Context, id int64) (Letter, desk.DeliveryStatus, error) {
	m, status, err := s.store.OwedMail(ctx, id)
	if err != nil || status != desk.DeliveryOwed {
		return Letter{}, status, err
	}
	l := Letter{ID: m.ID, Kind: m.Kind, To: m.To, At: m.At, Label: m.Label, Writes: m.Writes, Until: m.Until, Tries: m.Tries}
	if _, l.Policy, _, err = s.store.PolicyInForce(ctx); err != nil {
		return Letter{}, status, err
	}
	emergencies, err := s.store.Notices(ctx)
	if err != nil {
		return Letter{}, status, err
	}
	l.Notices = desk.NoticesAt(emergencies, time.Now())
	if m.LinkID != "" {
		l.URL, err = s.url(ctx, m.LinkID)
	}
	return l, status, err
}
