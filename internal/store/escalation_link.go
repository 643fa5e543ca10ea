package store

import (
	"context"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	signed "github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// escalationLink is the token that lets somebody who works here acknowledge a ticket's escalation, from an instant on.
func (s *Store) escalationLink(ctx context.Context, n ticket.Number, person ticket.PersonID, from time.Time) (string, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return "", err
	}
	return signed.MakeEscalation(secret, signed.Grant{Number: n, Person: person, Expires: from.Add(signed.EscalationLifetime)}), nil
}

// ReadEscalationLink gives whom the token of a link in an escalation's mail was made for, and for which ticket. It is
// NotFound for what was never signed here, and when they work here no more or have another address since; and Forbidden
// (see link.Expired), with the ticket's number, when its time is over.
func (s *Store) ReadEscalationLink(ctx context.Context, token string) (signed.Grant, desk.Person, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return signed.Grant{}, desk.Person{}, err
	}
	grant, err := signed.ReadEscalation(secret, token, time.Now())
	if err != nil {
		return grant, desk.Person{}, err
	}
	p, err := s.person(ctx, s.pool, `disabled_at IS NULL AND role <> 'customer' AND id = $1
		AND coalesce(date_trunc('second', links_since) <= $2, true)`, string(grant.Person), grant.Expires.Add(-signed.EscalationLifetime))
	if errors.Is(err, errNobody) {
		return signed.Grant{}, desk.Person{}, notHere(err)
	}
	return grant, p, explain(err, "look for whom a link is")
}
