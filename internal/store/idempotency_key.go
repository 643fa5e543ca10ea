package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// errNew says that a request was not accepted before under its key.
var errNew = errors.New("not accepted before")

// Repeated gives what was accepted before under a key, and false when nothing was. A key that came with another request
// is a Conflict.
func (s *Store) Repeated(ctx context.Context, by desk.Person, once desk.IdempotencyKey) (desk.Accepted, bool, error) {
	a, err := s.repeated(ctx, by, once)
	if errors.Is(err, errNew) {
		return desk.Accepted{}, false, nil
	}
	return a, err == nil, err
}

// SentWith returns the ticket to which a person asked something under a key; empty when there is none.
func (s *Store) SentWith(ctx context.Context, by desk.Person, key string) (n ticket.Number, err error) {
	err = s.pool.QueryRow(ctx, `SELECT ticket FROM commands WHERE by_person = $1 AND key = $2`, by.ID, key).Scan(&n)
	if errors.Is(err, pgx.ErrNoRows) {
		return "", nil
	}
	return n, explain(err, "look up what was sent")
}

// repeated gives the first answer to a request again. Without a first answer it is errNew.
func (s *Store) repeated(ctx context.Context, by desk.Person, once desk.IdempotencyKey) (desk.Accepted, error) {
	if once.Key == "" {
		return desk.Accepted{}, errNew
	}
	a := desk.Accepted{Again: true}
	var first []byte
	err := s.pool.QueryRow(ctx, `
		SELECT c.ticket, c.seq, c.accepted_at, coalesce((SELECT (e.data->>'was')::bigint FROM events e
			WHERE e.ticket = c.ticket AND e.kind = 'policy-adopted' ORDER BY e.n LIMIT 1), t.policy), coalesce(c.priority, ''), coalesce(c.category, ''), c.fingerprint
		FROM commands c JOIN tickets t ON t.number = c.ticket
		WHERE c.by_person = $1 AND c.key = $2`, by.ID, once.Key).
		Scan(&a.Number, &a.Seq, &a.At, &a.Policy, &a.Priority, &a.Category, &first)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Accepted{}, errNew
	case err != nil:
		return desk.Accepted{}, explain(err, "look up an idempotency key")
	}
	if err := once.Repeats(first); err != nil {
		return desk.Accepted{}, err
	}
	return a, nil
}

// fingerprint is null exactly when there is no key.
func fingerprint(once desk.IdempotencyKey) []byte {
	if once.Key == "" {
		return nil
	}
	return append([]byte{}, once.Fingerprint...)
}
