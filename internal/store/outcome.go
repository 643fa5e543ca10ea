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

// announce tells pages of a change after its commit. A notice in the commit itself would make commits wait for each
// other's flush to the disk, under PostgreSQL's one lock for notices; this transaction writes nothing that is flushed.
// A notice that is lost costs a page its freshness until the next one, and nothing else: whoever changed something is
// not told of it.
func (s *Store) announce(ctx context.Context, n ticket.Number, kind desk.ChangeKind) {
	_, _ = s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, changeChannel, changed(n, kind))
}
