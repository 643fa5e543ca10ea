package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// importTx is the transaction of an import.
type importTx struct {
	recipients
	store         *Store
	tx            pgx.Tx
	lastStatement time.Time // when the last statement was sent
}

// ImportTx implements app.ImportStore.
func (s *Store) ImportTx(ctx context.Context, fn func(app.ImportTx) error) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		return fn(&importTx{recipients: recipients{tx}, store: s, tx: tx, lastStatement: time.Now()})
	})
	return explain(err, "import tickets")
}

// Fresh implements app.ImportTx.
func (im *importTx) Fresh(ctx context.Context, numbers []ticket.Number) (map[ticket.Number]bool, error) {
	rows, _ := im.tx.Query(ctx, `SELECT n FROM unnest($1::text[]) n WHERE NOT EXISTS (SELECT FROM tickets WHERE number = n)`, numbers)
	fresh := map[ticket.Number]bool{}
	var number ticket.Number
	_, err := pgx.ForEachRow(rows, []any{&number}, func() error {
		fresh[number] = true
		return nil
	})
	return fresh, err
}

// Begin implements app.ImportTx.
func (im *importTx) Begin(ctx context.Context, messages int) (b app.ImportBase, err error) {
	// The transaction shares gateLock until its end, so a copy whose sender stalls must be bounded too.
	if _, err := im.tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, fmt.Sprint(copyTime.Milliseconds())); err != nil {
		return b, err
	}
	if _, err := im.tx.Exec(ctx, shareSchedule, gateLock); err != nil {
		return b, err
	}
	var revision int64
	err = im.tx.QueryRow(ctx, `SELECT date_trunc('second', clock_timestamp()), (SELECT coalesce(max(version), 0) FROM policies WHERE effective_at <= clock_timestamp()),
		(SELECT revision FROM emergency_schedule), array(SELECT nextval(pg_get_serial_sequence('messages', 'id')) FROM generate_series(1, $1::int))`, messages).
		Scan(&b.Now, &b.Policy, &revision, &b.Messages)
	if err == nil && b.Policy == 0 {
		err = ErrNoPolicy
	}
	if err != nil {
		return b, err
	}
	b.Schedule, err = im.store.scheduleSince(ctx, im.tx, revision)
	return b, err
}

// copyTime is the statement timeout of an import, which writes a few thousand tickets table by table.
const copyTime = 30 * time.Second

// Policy implements app.ImportTx.
func (im *importTx) Policy(ctx context.Context, version int64) (*policy.Policy, error) {
	return im.store.policy(ctx, im.tx, version)
}

// Roster implements app.ImportTx. It doesn't lock the rotation, so that steps need not wait: a simultaneous choice by
// one merely makes that of the import less fair.
func (im *importTx) Roster(ctx context.Context, group string) ([]ticket.Candidate, error) {
	return roster(ctx, im.tx, group)
}

// KeepAlive implements app.ImportTx.
func (im *importTx) KeepAlive(ctx context.Context) error {
	if time.Since(im.lastStatement) < idleTimeout/4 {
		return nil
	}
	im.lastStatement = time.Now()
	_, err := im.tx.Exec(ctx, `SELECT`)
	return err
}
