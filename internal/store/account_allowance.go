package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
)

// Spend takes one use out of an allowance.
func (a *Accounts) Spend(ctx context.Context, key []byte, of account.Allowance) (ok bool, err error) {
	tag, err := a.pool.Exec(ctx, spending("true"), use{key, of}.args(pgx.StrictNamedArgs{}))
	return tag.RowsAffected() == 1, explain(err, "count an attempt")
}

// Return gives one use back.
func (a *Accounts) Return(ctx context.Context, key []byte, of account.Allowance) error {
	_, err := a.pool.Exec(ctx, `UPDATE allowances SET spent_until = spent_until - $2::interval WHERE key = $1`, key, of.Each)
	return explain(err, "take back an attempt")
}
