package account

import (
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// MailKind is the kind of an account mail.
type MailKind string

// The kinds of mails without a link. A mail with a link has the link's purpose as its kind.
const (
	AddressChanged    MailKind = "address-changed"    // to the previous primary address
	AddressConfirmed  MailKind = "address-confirmed"  // to the new primary address
	AddressAdded      MailKind = "address-added"      // a further one; to the primary address
	AddressRemoved    MailKind = "address-removed"    // likewise
	AlreadyRegistered MailKind = "already-registered" // the registered address has an account already
	PasswordChanged   MailKind = "password-changed"
	PasswordSet       MailKind = "password-set" // the first one
	TokenCreated      MailKind = "token-made"
	EmailQuarantined  MailKind = "email-quarantined" // to the member of staff who sent it
)

// MailKinds returns all kinds of account mails.
func MailKinds() []MailKind {
	return []MailKind{
		MailKind(SignIn), MailKind(Reset), MailKind(AddAddress), MailKind(VerifyAddress), MailKind(Invitation),
		AddressChanged, AddressConfirmed, AddressAdded, AddressRemoved, AlreadyRegistered, PasswordChanged, PasswordSet, TokenCreated, EmailQuarantined,
	}
}

// Mail is an account mail. URL, Policy and Notices are never stored, but added when it is sent.
type Mail struct {
	ID     int64 // determines the Message-ID
	Kind   MailKind
	To     desk.Mailbox // without a name for registrations, where anyone may have typed it
	At     time.Time    // when the reported change happened
	LinkID string       // empty: it has no link
	URL    string       // of the link; EmailQuarantined: of the email's page
	Label  string       // TokenCreated: the token's; AddressAdded, AddressRemoved: the address; EmailQuarantined: the email's subject
	Writes bool         // TokenCreated: it may write
	Until  time.Time    // when it becomes pointless, because its link expires, for instance
	Tries  int          // failed attempts

	Incoming int64  // EmailQuarantined: the ID of the email
	Reason   string // EmailQuarantined: why it is in quarantine, in a sentence

	Policy *policy.Policy // the current version: time zone, contact, privacy notice, name

	Notices []desk.Notice // emergencies at the time of sending
}

// LoadMail returns the data of a mail, and its delivery status. It returns a NotFound fault if there is no such mail.
func (s *Service) LoadMail(ctx context.Context, id int64) (Mail, desk.DeliveryStatus, error) {
	m, status, err := s.store.OwedMail(ctx, id)
	if err != nil || status != desk.DeliveryOwed {
		return Mail{}, status, err
	}
	if _, m.Policy, _, err = s.store.PolicyInForce(ctx); err != nil {
		return Mail{}, status, err
	}
	emergencies, err := s.store.Notices(ctx)
	if err != nil {
		return Mail{}, status, err
	}
	m.Notices = desk.NoticesAt(emergencies, time.Now())
	switch {
	case m.LinkID != "":
		m.URL, err = s.url(ctx, m.LinkID)
	case m.Kind == EmailQuarantined:
		m.URL = fmt.Sprintf("%s/desk/mail/%d", s.site, m.Incoming)
	}
	return m, status, err
}
