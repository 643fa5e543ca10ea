package store

import (
	"context"
	"errors"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// errNew is returned when no request was accepted under a key.
var errNew error = fault.New(fault.NotFound, "not accepted before")

// Repeated returns what was accepted earlier under an idempotency key, and false if nothing was. It returns Conflict if
// the key was used for another request.
func (s *Store) Repeated(ctx context.Context, by desk.Person, key desk.IdempotencyKey) (desk.Accepted, bool, error) {
	a, err := s.repeated(ctx, by, key)
	if errors.Is(err, errNew) {
		return desk.Accepted{}, false, nil
	}
	return a, err == nil, err
}

// SentWith returns the ticket of the command that a person sent under a key, or an empty number if there is none.
func (s *Store) SentWith(ctx context.Context, by desk.Person, key string) (n ticket.Number, err error) {
	err = s.pool.QueryRow(ctx, `SELECT ticket FROM commands WHERE by_person = $1 AND key = $2`, by.ID, key).Scan(&n)
	return n, explain(missing(err, nil), "look up what was sent")
}

// repeated returns the response to the first request under a key, with Again set. It returns errNew if there was none.
func (s *Store) repeated(ctx context.Context, by desk.Person, key desk.IdempotencyKey) (desk.Accepted, error) {
	if key.Key == "" {
		return desk.Accepted{}, errNew
	}
	a := desk.Accepted{Again: true}
	var first []byte
	err := s.pool.QueryRow(ctx, `
		SELECT c.ticket, c.seq, c.accepted_at, coalesce((SELECT (e.data->>'was')::bigint FROM events e
			WHERE e.ticket = c.ticket AND e.kind = 'policy-adopted' ORDER BY e.n LIMIT 1), t.policy), coalesce(c.priority, ''), coalesce(c.category, ''), c.fingerprint
		FROM commands c JOIN tickets t ON t.number = c.ticket
		WHERE c.by_person = $1 AND c.key = $2`, by.ID, key.Key).
		Scan(&a.Number, &a.Seq, &a.At, &a.Policy, &a.Priority, &a.Category, &first)
	if err != nil {
		return desk.Accepted{}, explain(missing(err, errNew), "look up an idempotency key")
	}
	if err := key.Repeats(first); err != nil {
		return desk.Accepted{}, err
	}
	return a, nil
}

// fingerprint returns nil exactly if there is no key.
func fingerprint(key desk.IdempotencyKey) []byte {
	if key.Key == "" {
		return nil
	}
	return append([]byte{}, key.Fingerprint...)
}
