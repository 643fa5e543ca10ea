package store

import (
	"context"
	"time"
)

// Lease takes or renews the lease with a name, and reports whether the holder has it. It does not while another holder's
// lease has not expired.
func (s *Store) Lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error) {
	var ours bool
	err := s.pool.QueryRow(ctx, `
		INSERT INTO leases AS l (name, holder, until) VALUES ($1, $2, clock_timestamp() + $3::interval)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
		RETURNING true`, name, holder, lasts).Scan(&ours)
	return ours, explain(missing(err, nil), "take the lease %s", name)
}

// EndLease ends a lease, if the holder still has it, so that another process can take it at once.
func (s *Store) EndLease(ctx context.Context, name, holder string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM leases WHERE name = $1 AND holder = $2`, name, holder)
	return explain(err, "end the lease %s", name)
}
