package store

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// BeginHand notes that a signal by hand is carried out, and returns which run of the workflow delivered it first and what
// came of it then; nil: nothing yet.
func (s *Store) BeginHand(ctx context.Context, key, run string) (first string, result *ticket.HandResult, err error) {
	err = s.pool.QueryRow(ctx, `
		INSERT INTO emergency_hands (key, run) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET run = emergency_hands.run RETURNING run, result`, key, run).Scan(&first, &result)
	return first, result, explain(err, "begin a signal by hand")
}

// EndHand notes what came of a signal by hand.
func (s *Store) EndHand(ctx context.Context, key string, result ticket.HandResult) error {
	_, err := s.pool.Exec(ctx, `UPDATE emergency_hands SET result = $2 WHERE key = $1`, key, result)
	return explain(err, "end a signal by hand")
}
