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

// use is one use of an allowance of somebody's, to be spent by the statement that keeps what they wrote: they stand or
// fall together, and so neither a repetition nor what is refused spends anything. The zero value spends nothing.
type use struct {
	key []byte // nil: without limit
	of  account.RateLimit
}

// use finds the allowance of a person. A visitor has none.
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

// args adds those of a statement that spends the use to its others.
func (u use) args(others pgx.StrictNamedArgs) pgx.StrictNamedArgs {
	others["allowance"], others["each"], others["room"] = u.key, u.of.Interval, u.of.Horizon(1)
	return others
}

// spending is a statement that spends the use of its arguments on a condition, and returns a row if it did. It is the
// generic cell rate algorithm: an allowance is a length of time, each use takes a share of it, and it fills up as time
// goes by. Of uses at the same moment PostgreSQL takes one after another.
func spending(condition string) string {
	return `
		INSERT INTO allowances AS a (key, spent_until)
		SELECT @allowance::bytea, clock_timestamp() + @each::interval WHERE @allowance::bytea IS NOT NULL AND ` + condition + `
		ON CONFLICT (key) DO UPDATE SET spent_until = greatest(a.spent_until, clock_timestamp()) + @each
		WHERE a.spent_until <= clock_timestamp() + @room
		RETURNING key`
}

// spent is a Limited fault if nothing is left of the allowance, and nil otherwise. It is asked why a statement did nothing.
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
		return explain(err, "look at an allowance")
	}
	seconds := int(math.Ceil(wait.Seconds()))
	return &fault.Error{
		Kind: fault.Limited, RetryAfter: time.Duration(seconds) * time.Second,
		Message: fmt.Sprintf("that is more than one person may send in so short a time; try again in %s", inWords(seconds)),
	}
}

// inWords is a wait as people say it, never shorter than it is.
func inWords(seconds int) string {
	switch {
	case seconds == 1:
		return "a second"
	case seconds < 120:
		return fmt.Sprintf("%d seconds", seconds)
	default:
		return fmt.Sprintf("%d minutes", (seconds+59)/60)
	}
}
