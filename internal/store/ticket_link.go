package store

import (
	"context"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	signed "github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// linkSecret is the name of the secret that links in mails are signed with.
const linkSecret = "links"

// ConversationLink is the token that opens a ticket to its requester, from an instant on for link.Lifetime.
func (s *Store) ConversationLink(ctx context.Context, n ticket.Number, requester ticket.PersonID, from time.Time) (string, error) {
	secret, from, err := s.linkSigning(ctx, requester, from)
	if err != nil {
		return "", err
	}
	return signed.New(secret, signed.Grant{Number: n, Person: requester, Expires: from.Add(signed.Lifetime)}), nil
}

// linkSigning returns what a link to a person is signed with, and the instant from which it counts: of a mail that was owed
// before that person's links were called off and is sent now, the link works.
func (s *Store) linkSigning(ctx context.Context, id ticket.PersonID, owed time.Time) (secret []byte, from time.Time, err error) {
	if secret, err = s.Secret(ctx, linkSecret); err != nil {
		return nil, time.Time{}, err
	}
	err = s.pool.QueryRow(ctx, `SELECT greatest(links_since, $2) FROM people WHERE id = $1`, id, owed).Scan(&from)
	return secret, from, explain(err, "look from when the links of %s work", id)
}

// ReadLink gives what the token of a link in a mail opens: a ticket, until an instant. It is NotFound for what was never
// signed here and when its requester has been shut out; and Forbidden, with the ticket's number, when its time is over (see link.Expired)
// or the requester's links were called off since (see link.Revoked).
func (s *Store) ReadLink(ctx context.Context, token string) (signed.Grant, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return signed.Grant{}, err
	}
	grant, err := signed.Verify(secret, token, time.Now())
	if err != nil {
		return grant, err
	}
	if _, err := s.Requester(ctx, grant.Number, grant.Person); err != nil {
		return signed.Grant{}, err
	}
	switch ended, err := s.linksRevoked(ctx, grant.Person, grant.Expires.Add(-signed.Lifetime)); {
	case err != nil:
		return signed.Grant{}, err
	case ended:
		return grant, signed.ErrRevoked
	}
	return grant, nil
}

// linksRevoked reports whether a person's links of an instant, in whole seconds, were called off since.
func (s *Store) linksRevoked(ctx context.Context, id ticket.PersonID, made time.Time) (ended bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT date_trunc('second', links_since) > $2 FROM people WHERE id = $1`, id, made).Scan(&ended)
	return ended, explain(err, "look whether a link was called off")
}

// Requester gives the person who submitted a ticket. It is NotFound for anybody else, and when they have been shut out.
func (s *Store) Requester(ctx context.Context, n ticket.Number, id ticket.PersonID) (desk.Person, error) {
	p, err := s.person(ctx, s.pool, `disabled_at IS NULL AND role = 'customer' AND id = $1`, string(id))
	if err == nil {
		err = s.visible(ctx, p, n)
	}
	if err == nil || errors.Is(err, errNobody) || errors.Is(err, errNoTicket) {
		return p, linkNotFound(err)
	}
	return desk.Person{}, explain(err, "look for the requester of %s", n)
}

// linkNotFound is one error for everything that a link may not tell apart.
func linkNotFound(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.NotFound, "this link does not work any more")
}

// EscalationLink is the token that lets somebody who works here acknowledge a ticket's escalation, from an instant on.
func (s *Store) EscalationLink(ctx context.Context, n ticket.Number, person ticket.PersonID, from time.Time) (string, error) {
	secret, from, err := s.linkSigning(ctx, person, from)
	if err != nil {
		return "", err
	}
	return signed.NewEscalation(secret, signed.Grant{Number: n, Person: person, Expires: from.Add(signed.EscalationLifetime)}), nil
}

// ReadEscalationLink gives whom the token of a link in an escalation's mail was made for, and for which ticket. It is
// NotFound for what was never signed here and when they work here no more; and Forbidden, with the ticket's number, when
// its time is over (see link.Expired) or their links were called off since (see link.Revoked).
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
	if errors.Is(err, errNobody) {
		return signed.Grant{}, desk.Person{}, linkNotFound(err)
	}
	if err != nil {
		return signed.Grant{}, desk.Person{}, explain(err, "look for whom a link is")
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
