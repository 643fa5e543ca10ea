package store

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// use is one use of a person's allowance. The statement that stores what they wrote spends it too, so that neither a
// repeated nor a refused request spends anything. The zero value spends nothing.
type use struct {
	key []byte // nil if there is no limit
	of  account.RateLimit
}

// use returns a use of the allowance of a person. Visitors are not limited.
func (s *Store) use(ctx context.Context, by desk.Person, of account.RateLimit) (use, error) {
	if s.allowances == 0 || by.ID == "" {
		return use{}, nil
	}
	secret, err := s.Secret(ctx, account.RateLimitSecret)
	if err != nil {
		return use{}, err
	}
	return use{key: of.Key(secret, string(by.ID)), of: of.Scaled(s.allowances)}, nil
}

// args adds the arguments of a statement that includes spending to others, and returns them.
func (u use) args(others pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	others["allowance"], others["each"], others["room"] = u.key, u.of.Interval, u.of.Horizon(1)
	return others
}

// spending returns a statement that spends a use if condition holds, and returns a row if it did. It implements the
// generic cell rate algorithm: spent_until is when the allowance is full again, and each use moves it on by the interval of
// the limit. PostgreSQL serializes simultaneous uses.
func spending(condition string) string {
	return `
		INSERT INTO allowances AS a (key, spent_until)
		SELECT @allowance::bytea, clock_timestamp() + @each::interval WHERE @allowance::bytea IS NOT NULL AND ` + condition + `
		ON CONFLICT (key) DO UPDATE SET spent_until = greatest(a.spent_until, clock_timestamp()) + @each
		WHERE a.spent_until <= clock_timestamp() + @room
		RETURNING key`
}

// spent returns a Limited error if the allowance is used up, and nil otherwise. It is called after a statement stored
// nothing, to find out why, or before much is done for one.
func (s *Store) spent(ctx context.Context, u use) error {
	if u.key == nil {
		return nil
	}
	var wait time.Duration
	err := s.pool.QueryRow(ctx, `SELECT spent_until - @room::interval - clock_timestamp() FROM allowances WHERE key = @key`,
		pgx.StrictNamedArgs{"key": u.key, "room": u.of.Horizon(1)}).Scan(&wait)
	switch {
	case errors.Is(err, pgx.ErrNoRows) || err == nil && wait <= 0:
		return nil
	case err != nil:
		return explain(err, "read an allowance")
	}
	seconds := int(math.Ceil(wait.Seconds()))
	return &fault.Error{
		Kind: fault.Limited, RetryAfter: time.Duration(seconds) * time.Second,
		Message: fmt.Sprintf("you have sent too much in a short time; try again in %s", waitInWords(seconds)),
	}
}

// MaySubmit returns a Limited error if a person's allowance of tickets is used up. It spends nothing.
func (s *Store) MaySubmit(ctx context.Context, by desk.Person) error {
	return s.left(ctx, by, account.TicketLimit(by))
}

// MayCommand returns a Limited error if a person's allowance of commands is used up. It spends nothing.
func (s *Store) MayCommand(ctx context.Context, by desk.Person) error {
	return s.left(ctx, by, account.CommandLimit(by))
}

func (s *Store) left(ctx context.Context, by desk.Person, of account.RateLimit) error {
	u, err := s.use(ctx, by, of)
	if err != nil {
		return err
	}
	return s.spent(ctx, u)
}

// waitInWords returns a wait as text, rounded up.
func waitInWords(seconds int) string {
	switch {
	case seconds == 1:
		return "a second"
	case seconds < 120:
		return fmt.Sprintf("%d seconds", seconds)
	default:
		return fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
}

// Spend takes one use out of an allowance. ok is false if none is left.
func (a *Accounts) Spend(ctx context.Context, key []byte, of account.RateLimit) (ok bool, err error) {
	tag, err := a.pool.Exec(ctx, spending("true"), use{key, of}.args(pgx.StrictNamedArgs{}))
	return tag.RowsAffected() == 1, explain(err, "spend a use of an allowance")
}

// Return undoes a call of Spend.
func (a *Accounts) Return(ctx context.Context, key []byte, of account.RateLimit) error {
	_, err := a.pool.Exec(ctx, `UPDATE allowances SET spent_until = spent_until - $2::interval WHERE key = $1`, key, of.Interval)
	return explain(err, "return a use to an allowance")
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
	return explain(err, "delete full allowances")
}
