package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// Policy gives a published version. It is read and parsed once.
func (s *Store) Policy(ctx context.Context, version int64) (*policy.Policy, error) {
	return s.policy(ctx, s.pool, version)
}

// policy reads through q, so that a step which holds a connection never waits for a second one.
func (s *Store) policy(ctx context.Context, q querier, version int64) (*policy.Policy, error) {
	if known, ok := s.policies.Load(version); ok {
		return known.(*policy.Policy), nil
	}
	var document []byte
	err := q.QueryRow(ctx, `SELECT document FROM policies WHERE version = $1`, version).Scan(&document)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, fault.New(fault.NotFound, "there is no policy version %d", version)
	}
	if err != nil {
		return nil, explain(err, "read policy version %d", version)
	}
	return s.keep(version, document)
}

// keep parses a published document once. One that can't be parsed was published by a program that knew more.
func (s *Store) keep(version int64, document []byte) (*policy.Policy, error) {
	if known, ok := s.policies.Load(version); ok {
		return known.(*policy.Policy), nil
	}
	parsed, err := policy.Parse(document)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "policy version %d can't be read by this program", version)
	}
	known, _ := s.policies.LoadOrStore(version, parsed)
	return known.(*policy.Policy), nil
}

// ErrNoPolicy says that nothing has been published yet, so that nothing can be promised.
var ErrNoPolicy error = fault.New(fault.Unavailable, "no policy has been published yet")

// PolicyInForce gives the highest version that has taken effect: its number, the policy and the document as it was
// published. It is ErrNoPolicy while none has.
func (s *Store) PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error) {
	var version int64
	var document []byte
	err := s.pool.QueryRow(ctx, `
		SELECT version, document FROM policies WHERE effective_at <= clock_timestamp() ORDER BY version DESC LIMIT 1`).
		Scan(&version, &document)
	if errors.Is(err, pgx.ErrNoRows) {
		return 0, nil, nil, ErrNoPolicy
	}
	if err != nil {
		return 0, nil, nil, explain(err, "read the policy in force")
	}
	p, err := s.keep(version, document)
	return version, p, document, err
}
