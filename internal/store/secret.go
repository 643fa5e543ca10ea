package store

import (
	"context"
	"crypto/rand"
	"errors"

	"github.com/jackc/pgx/v5"
)

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
