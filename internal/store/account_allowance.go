package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
)

// Spend takes one use out of an allowance. ok is false if none is left.
func (a *Accounts) Spend(ctx context.Context, key []byte, of account.RateLimit) (ok bool, err error) {
	tag, err := a.pool.Exec(ctx, spending("true"), use{key, of}.args(pgx.StrictNamedArgs{}))
	return tag.RowsAffected() == 1, explain(err, "count an attempt")
}

// Return gives one use back to an allowance.
func (a *Accounts) Return(ctx context.Context, key []byte, of account.RateLimit) error {
	_, err := a.pool.Exec(ctx, `UPDATE allowances SET spent_until = spent_until - $2::interval WHERE key = $1`, key, of.Interval)
	return explain(err, "take back an attempt")
}

// allowancesSwept is the interval between deletions of allowances that are full again. No index finds them, so each
// deletion reads the whole table.
const allowancesSwept = time.Hour

// sweepAllowances deletes the allowances that are full again, unless this process has done so within allowancesSwept.
// It skips rows that are locked.
func (a *Accounts) sweepAllowances(ctx context.Context) error {
	last, now := a.swept.Load(), time.Now().UnixNano()
	if last != 0 && now-last < int64(allowancesSwept) || !a.swept.CompareAndSwap(last, now) {
		return nil
	}
	_, err := a.pool.Exec(ctx, `
		DELETE FROM allowances WHERE key IN (SELECT key FROM allowances WHERE spent_until < clock_timestamp() FOR UPDATE SKIP LOCKED)`)
	return explain(err, "clear away allowances")
}
