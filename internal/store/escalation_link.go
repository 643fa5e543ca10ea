package store

import (
	"context"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	signed "github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// EscalationLink is the token that lets somebody who works here acknowledge a ticket's escalation, from an instant on.
func (s *Store) EscalationLink(ctx context.Context, n ticket.Number, person ticket.PersonID, from time.Time) (string, error) {
	secret, from, err := s.signing(ctx, person, from)
	if err != nil {
		return "", err
	}
	return signed.MakeEscalation(secret, signed.Grant{Number: n, Person: person, Expires: from.Add(signed.EscalationLifetime)}), nil
}

// ReadEscalationLink gives whom the token of a link in an escalation's mail was made for, and for which ticket. It is
// NotFound for what was never signed here and when they work here no more; and Forbidden, with the ticket's number, when
// its time is over (see link.Expired) or their links were called off since (see link.Ended).
func (s *Store) ReadEscalationLink(ctx context.Context, token string) (signed.Grant, desk.Person, error) {
	secret, err := s.Secret(ctx, linkSecret)
	if err != nil {
		return signed.Grant{}, desk.Person{}, err
	}
	grant, err := signed.ReadEscalation(secret, token, time.Now())
	if err != nil {
		return grant, desk.Person{}, err
	}
	p, err := s.person(ctx, s.pool, `disabled_at IS NULL AND role <> 'customer' AND id = $1`, string(grant.Person))
	if errors.Is(err, errNobody) {
		return signed.Grant{}, desk.Person{}, notHere(err)
	}
	if err != nil {
		return signed.Grant{}, desk.Person{}, explain(err, "look for whom a link is")
	}
	ended, err := s.calledOff(ctx, grant.Person, grant.Expires.Add(-signed.EscalationLifetime))
	if err == nil && ended {
		err = signed.ErrEnded
	}
	if err != nil {
		return grant, desk.Person{}, err
	}
	return grant, p, nil
}
