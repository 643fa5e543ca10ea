package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
)

// Spend takes one use out of an allowance (the generic cell rate algorithm: an allowance is a length of time, each use
// takes a share of it, and it fills up as time goes by). Of uses at the same moment PostgreSQL takes one after another.
func (a *Accounts) Spend(ctx context.Context, key []byte, of account.Allowance) (ok bool, err error) {
	tag, err := a.pool.Exec(ctx, `
		INSERT INTO allowances AS a (key, spent_until) VALUES (@key, clock_timestamp() + @each)
		ON CONFLICT (key) DO UPDATE SET spent_until = greatest(a.spent_until, clock_timestamp()) + @each
		WHERE a.spent_until <= clock_timestamp() + @room`,
		pgx.StrictNamedArgs{"key": key, "each": of.Each, "room": time.Duration(of.Burst-1) * of.Each})
	return tag.RowsAffected() == 1, explain(err, "count an attempt")
}

// Return gives one use back.
func (a *Accounts) Return(ctx context.Context, key []byte, of account.Allowance) error {
	_, err := a.pool.Exec(ctx, `UPDATE allowances SET spent_until = spent_until - $2::interval WHERE key = $1`, key, of.Each)
	return explain(err, "take back an attempt")
}
