package store

import (
	"context"
	"crypto/rand"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	signed "github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// linkSecret is the name of the secret with which links in mails are signed.
const linkSecret = "links"

// ConversationLink returns the token that opens a ticket to a customer of it, valid for link.Lifetime from an instant on.
func (s *Store) ConversationLink(ctx context.Context, n ticket.Number, customer ticket.PersonID, from time.Time) (string, error) {
	secret, from, err := s.linkSigning(ctx, customer, from)
	if err != nil {
		return "", err
	}
	return signed.New(secret, signed.Grant{Number: n, Person: customer, Expires: from.Add(signed.Lifetime)}), nil
}

// linkSigning returns the secret for a person's link and the instant from which it is valid.
func (s *Store) linkSigning(ctx context.Context, id ticket.PersonID, owed time.Time) (secret []byte, from time.Time, err error) {
	if secret, err = s.Secret(ctx, linkSecret); err != nil {
		return nil, time.Time{}, err
	}
	from, err = s.linksFrom(ctx, id, owed)
	return secret, from, err
}

// linksFrom returns the instant from which what a mail contains for its recipient is valid: that at which the mail became due, or
// that at which the person's links were last revoked if that is later, so that a mail delayed beyond it still carries a link
// that works.
func (s *Store) linksFrom(ctx context.Context, id ticket.PersonID, owed time.Time) (from time.Time, err error) {
	err = s.pool.QueryRow(ctx, `SELECT greatest(links_since, $2) FROM people WHERE id = $1`, id, owed).Scan(&from)
	return from, explain(err, "read since when the links of %s are valid", id)
}

// ReadLink returns what the token of a link in a mail grants: a ticket, until an instant. It is NotFound if the token was not
// signed here or the requester is disabled. It is Forbidden, and the grant has the ticket's number, if the link has expired
// (see link.Expired) or the requester's links were revoked since (see link.Revoked).
func (s *Store) ReadLink(ctx context.Context, token string) (signed.Grant, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return signed.Grant{}, err
	}
	grant, err := signed.Verify(secret, token, time.Now())
	if err != nil {
		return grant, err
	}
	p, err := s.customerOf(ctx, grant.Number, grant.Person)
	if err != nil {
		return signed.Grant{}, err
	}
	switch ended, err := s.linksRevoked(ctx, grant.Person, grant.Expires.Add(-signed.Lifetime)); {
	case err != nil:
		return signed.Grant{}, err
	case ended:
		return grant, signed.ErrRevoked
	}
	grant.Person = p.ID
	return grant, nil
}

// linksRevoked reports whether a person's links made at an instant were revoked since. It compares whole seconds, as tokens
// hold no fractions.
func (s *Store) linksRevoked(ctx context.Context, id ticket.PersonID, made time.Time) (ended bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT bool_or(date_trunc('second', links_since) > $2) FROM people WHERE id IN ($1, `+knownAs("$1")+`)`, id, made).Scan(&ended)
	return ended, explain(err, "read whether a link was revoked")
}

// customerOf returns the requester or a participant of a ticket, also by the ID of a contact who was merged into them. It is
// NotFound if id is another person's or a disabled one's.
func (s *Store) customerOf(ctx context.Context, n ticket.Number, id ticket.PersonID) (desk.Person, error) {
	p, err := s.person(ctx, s.pool, `disabled_at IS NULL AND role = 'customer' AND id = `+knownAs("$1"), string(id))
	if err == nil {
		err = s.visible(ctx, p, n)
	}
	if err == nil || errors.Is(err, errNoPerson) || errors.Is(err, errNoTicket) {
		return p, linkNotFound(err)
	}
	return desk.Person{}, explain(err, "read a customer of %s", n)
}

// linkNotFound returns the same error for every err, so that a link's holder can't tell the reasons apart; nil for nil.
func linkNotFound(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.NotFound, "this link no longer works")
}

// EscalationLink returns the token that lets a member of the staff acknowledge a ticket's escalation, valid for
// link.EscalationLifetime from an instant on.
func (s *Store) EscalationLink(ctx context.Context, n ticket.Number, person ticket.PersonID, from time.Time) (string, error) {
	secret, from, err := s.linkSigning(ctx, person, from)
	if err != nil {
		return "", err
	}
	return signed.NewEscalation(secret, signed.Grant{Number: n, Person: person, Expires: from.Add(signed.EscalationLifetime)}), nil
}

// ReadEscalationLink returns what the token of a link in an escalation's mail grants, and to whom. It is NotFound if the
// token was not signed here or the person is no longer an active member of the staff. It is Forbidden, and the grant has
// the ticket's number, if the link has expired (see link.Expired) or the person's links were revoked since (see
// link.Revoked).
func (s *Store) ReadEscalationLink(ctx context.Context, token string) (signed.Grant, desk.Person, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return signed.Grant{}, desk.Person{}, err
	}
	grant, err := signed.VerifyEscalation(secret, token, time.Now())
	if err != nil {
		return grant, desk.Person{}, err
	}
	p, err := s.person(ctx, s.pool, `disabled_at IS NULL AND role <> 'customer' AND id = $1`, string(grant.Person))
	if errors.Is(err, errNoPerson) {
		return signed.Grant{}, desk.Person{}, linkNotFound(err)
	}
	if err != nil {
		return signed.Grant{}, desk.Person{}, explain(err, "read the person of a link")
	}
	ended, err := s.linksRevoked(ctx, grant.Person, grant.Expires.Add(-signed.EscalationLifetime))
	if err == nil && ended {
		err = signed.ErrRevoked
	}
	if err != nil {
		return grant, desk.Person{}, err
	}
	return grant, p, nil
}

// FileLink returns the token that opens a file of a message to a customer, valid for link.FileLifetime from an instant on.
func (s *Store) FileLink(ctx context.Context, id desk.FileID, customer ticket.PersonID, from time.Time) (string, error) {
	secret, from, err := s.linkSigning(ctx, customer, from)
	if err != nil {
		return "", err
	}
	return signed.NewFile(secret, signed.Grant{Number: ticket.Number(id), Person: customer, Expires: from.Add(signed.FileLifetime)}), nil
}

// ReadFileLink returns the file that the token of a link opens, and the person as whom it is read: whether they may see it
// is checked when it is. It is NotFound if the token was not signed here or the person is no longer an active customer, and
// Forbidden if the link has expired (see link.Expired) or was revoked since (see link.Revoked).
func (s *Store) ReadFileLink(ctx context.Context, token string) (desk.FileID, desk.Person, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return "", desk.Person{}, err
	}
	grant, err := signed.VerifyFile(secret, token, time.Now())
	if err != nil {
		return "", desk.Person{}, err
	}
	p, err := s.person(ctx, s.pool, `disabled_at IS NULL AND role = 'customer' AND id = `+knownAs("$1"), string(grant.Person))
	if errors.Is(err, errNoPerson) {
		return "", desk.Person{}, linkNotFound(err)
	}
	if err != nil {
		return "", desk.Person{}, explain(err, "read the person of a link")
	}
	ended, err := s.linksRevoked(ctx, grant.Person, grant.Expires.Add(-signed.FileLifetime))
	if err == nil && ended {
		err = signed.ErrRevoked
	}
	if err != nil {
		return "", desk.Person{}, err
	}
	return desk.FileID(grant.Number), p, nil
}

// Secret returns 32 random bytes that all replicas share under a name, for deriving keys and signing. They are
// generated on first use and never change.
func (s *Store) Secret(ctx context.Context, name string) ([]byte, error) {
	if known, ok := s.secrets.Load(name); ok {
		return known.([]byte), nil
	}
	var value []byte
	const read = `SELECT value FROM secrets WHERE name = $1`
	err := s.pool.QueryRow(ctx, read, name).Scan(&value)
	if errors.Is(err, pgx.ErrNoRows) {
		var drawn [32]byte
		rand.Read(drawn[:]) // never fails since Go 1.24
		// Another replica may have inserted a value first, so read the one that was stored.
		_, err = s.pool.Exec(ctx, `INSERT INTO secrets (name, value) VALUES ($1, $2) ON CONFLICT DO NOTHING`, name, drawn[:])
		if err == nil {
			err = s.pool.QueryRow(ctx, read, name).Scan(&value)
		}
	}
	if err != nil {
		return nil, explain(err, "read the secret %s", name)
	}
	s.secrets.Store(name, value)
	return value, nil
}
