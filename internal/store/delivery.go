package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// afterwards is how long a relay that is being stopped may take to note what it has delivered.
const afterwards = 5 * time.Second

type undeliveredRow struct {
	ID     int64
	Ticket ticket.Number
	commandRow
}

// Undelivered hands out up to limit commands that no workflow has been told of, oldest first, and forgets those that
// deliver gives back as done, also when it gives an error for the rest or ctx ends meanwhile. No two callers are handed
// the same command at once, wherever they run. It returns how many it handed out, and deliver's error.
func (s *Store) Undelivered(ctx context.Context, limit int, deliver func(context.Context, []desk.Delivery) ([]desk.Delivery, error)) (int, error) {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return 0, explain(err, "deliver commands")
	}
	defer abandon(ctx, tx)
	ids, all, err := undelivered(ctx, tx, limit)
	if err != nil || len(all) == 0 {
		return 0, explain(err, "deliver commands")
	}
	done, failed := deliver(ctx, all)
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	if err := settle(noting, tx, ids, done); err != nil {
		return len(all), explain(err, "note what was delivered")
	}
	return len(all), failed
}

// settle forgets what was delivered, and commits.
func settle(ctx context.Context, tx pgx.Tx, ids map[place]int64, done []desk.Delivery) error {
	settled := make([]int64, 0, len(done))
	for _, d := range done {
		settled = append(settled, ids[place{d.Number, d.Command.Seq}])
	}
	if _, err := tx.Exec(ctx, `DELETE FROM undelivered WHERE id = ANY ($1)`, settled); err != nil {
		return err
	}
	return tx.Commit(ctx)
}

// abandon frees a transaction's connection; after its commit it does nothing.
func abandon(ctx context.Context, tx pgx.Tx) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	_ = tx.Rollback(ctx)
}

// place is where a command stands.
type place struct {
	number ticket.Number
	seq    int64
}

func undelivered(ctx context.Context, tx pgx.Tx, limit int) (map[place]int64, []desk.Delivery, error) {
	rows, err := tx.Query(ctx, `
		WITH mine AS (SELECT id, ticket, seq FROM undelivered ORDER BY id LIMIT $1 FOR UPDATE SKIP LOCKED)
		SELECT mine.id, mine.ticket, `+commandColumns+` FROM mine JOIN commands c ON c.ticket = mine.ticket AND c.seq = mine.seq
		ORDER BY mine.id`, limit)
	if err != nil {
		return nil, nil, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[undeliveredRow])
	if err != nil {
		return nil, nil, err
	}
	ids, all := make(map[place]int64, len(found)), make([]desk.Delivery, 0, len(found))
	for _, row := range found {
		ids[place{row.Ticket, row.Seq}] = row.ID
		all = append(all, desk.Delivery{Number: row.Ticket, Command: row.command()})
	}
	return ids, all, nil
}
