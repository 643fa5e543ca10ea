package account

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// MailKind is the kind of an account mail.
type MailKind string

// The kinds of mails without a link. A mail with a link has the link's purpose as its kind.
const (
	AddressChanged    MailKind = "address-changed"    // to the previous address
	AddressConfirmed  MailKind = "address-confirmed"  // to the new address
	AlreadyRegistered MailKind = "already-registered" // the registered address has an account already
	PasswordChanged   MailKind = "password-changed"
	PasswordSet       MailKind = "password-set" // the first one
	TokenCreated      MailKind = "token-made"
)

// MailKinds returns all kinds of account mails.
func MailKinds() []MailKind {
	return []MailKind{
		MailKind(SignIn), MailKind(Reset), MailKind(ChangeAddress), MailKind(VerifyAddress), MailKind(Invitation),
		AddressChanged, AddressConfirmed, AlreadyRegistered, PasswordChanged, PasswordSet, TokenCreated,
	}
}

// StoredMail is an account mail as it is stored until it is sent.
type StoredMail struct {
	ID     int64
	Kind   MailKind
	To     desk.Mailbox
	At     time.Time // when the reported change happened
	LinkID string    // empty: it has no link
	Label  string    // TokenCreated: the token's
	Writes bool      // TokenCreated: it may write
	Until  time.Time // pointless to send after
	Tries  int       // failed attempts
}

// Mail holds the data that an account mail is rendered from. It is built when the mail is sent and never stored.
type Mail struct {
	ID     int64 // determines the Message-ID
	Kind   MailKind
	To     desk.Mailbox // without a name for registrations, where anybody may have typed it
	At     time.Time    // when the reported change happened
	URL    string       // the link; empty: none
	Label  string       // TokenCreated: the token's
	Writes bool         // TokenCreated: it may write
	Until  time.Time    // when the link expires
	Tries  int
	Policy *policy.Policy // the current version: time zone, contact, privacy notice, name

	Notices []desk.Notice // emergencies at the time of sending
}

// Letter returns the data of a mail, and its delivery status. It returns a NotFound fault if there is no such email.
func (s *Service) Letter(ctx context.Context, id int64) (Mail, desk.DeliveryStatus, error) {
	m, status, err := s.store.OwedMail(ctx, id)
	if err != nil || status != desk.DeliveryOwed {
		return Mail{}, status, err
	}
	l := Mail{ID: m.ID, Kind: m.Kind, To: m.To, At: m.At, Label: m.Label, Writes: m.Writes, Until: m.Until, Tries: m.Tries}
	if _, l.Policy, _, err = s.store.PolicyInForce(ctx); err != nil {
		return Mail{}, status, err
	}
	emergencies, err := s.store.Notices(ctx)
	if err != nil {
		return Mail{}, status, err
	}
	l.Notices = desk.NoticesAt(emergencies, time.Now())
	if m.LinkID != "" {
		l.URL, err = s.url(ctx, m.LinkID)
	}
	return l, status, err
}
