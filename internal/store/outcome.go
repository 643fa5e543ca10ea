package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outcomeChannel is where a step's commit tells of its decisions, as notice writes them.
const outcomeChannel = "outcome"

// changeChannel is where a commit tells that something that pages show has changed, as changed writes it.
const changeChannel = "change"

func changed(n ticket.Number, kind desk.ChangeKind) string { return fmt.Sprintf("%s:%s", n, kind) }

func notice(n ticket.Number, seq int64) string { return fmt.Sprintf("%s:%d", n, seq) }

// Outcome gives the desk's answer to a command, and false while no step has taken it.
func (s *Store) Outcome(ctx context.Context, n ticket.Number, seq int64) (o ticket.Outcome, decided bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT refused, code, reason FROM outcomes WHERE ticket = $1 AND seq = $2`, n, seq).
		Scan(&o.Refused, &o.Code, &o.Reason)
	if errors.Is(err, pgx.ErrNoRows) {
		return ticket.Outcome{}, false, nil
	}
	return o, err == nil, explain(err, "read the outcome of command %d of %s", seq, n)
}
