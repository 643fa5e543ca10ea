package store

import (
	"context"
	"fmt"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// outcomeChannel is the channel on which the commit of a step announces its decisions, in the format of notice.
const outcomeChannel = "outcome"

// changeChannel is the channel on which changes of what pages show are announced, in the format of changed.
const changeChannel = "change"

func changed(n ticket.Number, kind desk.ChangeKind) string { return fmt.Sprintf("%s:%s", n, kind) }

func notice(n ticket.Number, seq int64) string { return fmt.Sprintf("%s:%d", n, seq) }

// Outcome returns the outcome of a command. decided is false while no step has decided it.
func (s *Store) Outcome(ctx context.Context, n ticket.Number, seq int64) (o ticket.Outcome, decided bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT refused, code, reason FROM outcomes WHERE ticket = $1 AND seq = $2`, n, seq).
		Scan(&o.Refused, &o.Code, &o.Reason)
	decided, err = found(err)
	return o, decided, explain(err, "read the outcome of command %d of %s", seq, n)
}

// announce notifies pages of a change after its commit. A notification inside the commit would make commits wait for
// each other's flush, since PostgreSQL holds one lock for all notifications; this transaction writes nothing that is
// flushed. Errors are ignored: a lost notification only delays a page's update until the next one.
func (s *Store) announce(ctx context.Context, n ticket.Number, kind desk.ChangeKind) {
	_, _ = s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, changeChannel, changed(n, kind))
}
