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

// Letter returns what a mail's words are made from, and what became of it already. NotFound: there is no such mail.
func (s *Service) Letter(ctx context.Context, id int64) (Letter, desk.DeliveryStatus, error) {
	m, status, err := s.vault.OwedMail(ctx, id)
	if err != nil || status != desk.DeliveryOwed {
		return Letter{}, status, err
	}
	l := Letter{ID: m.ID, Kind: m.Kind, To: m.To, At: m.At, Label: m.Label, Writes: m.Writes, Until: m.Until, Tries: m.Tries}
	if _, l.Policy, _, err = s.vault.PolicyInForce(ctx); err != nil {
		return Letter{}, status, err
	}
	emergencies, err := s.vault.Notices(ctx)
	if err != nil {
		return Letter{}, status, err
	}
	l.Notices = desk.NoticesAt(emergencies, time.Now())
	if m.LinkID != "" {
		l.URL, err = s.url(ctx, m.LinkID)
	}
	return l, status, err
}
