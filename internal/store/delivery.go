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
// deliver gives back as done. Of each ticket's others the first is put behind the rest, and holds back the ticket's
// later ones: for a growing while, up to ten minutes, and for no time if deliver fails, since then it is not the
// command's fault. Once ctx has ended, nothing is held against any. No two callers are handed the same command at once,
// wherever they run. At most openings of them are submissions, but for those tried before, which any room lets in; commands of tickets whose submission was delivered go
// first. It returns how many it handed out, and deliver's error.
func (s *Store) Undelivered(ctx context.Context, limit, openings int, deliver func(context.Context, []desk.Delivery) ([]desk.Delivery, error)) (int, error) {
	tx, err := s.pool.Begin(ctx)
	if err != nil {
		return 0, explain(err, "deliver commands")
	}
	defer abandon(ctx, tx)
	handed, err := undelivered(ctx, tx, limit, openings)
	if err != nil || len(handed) == 0 {
		return 0, explain(err, "deliver commands")
	}
	all := make([]desk.Delivery, 0, len(handed))
	for _, row := range handed {
		all = append(all, desk.Delivery{Number: row.Ticket, Command: row.command()})
	}
	done, failed := deliver(ctx, all)
	told, untold := sorted(handed, done)
	if ctx.Err() != nil {
		untold = nil
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), afterwards)
	defer cancel()
	if err := settle(noting, tx, told, untold, failed == nil); err != nil {
		return len(all), explain(err, "note what was delivered")
	}
	return len(all), failed
}

// undelivered locks what is due. At most half are tried again, so that what Temporal refuses never keeps out what is
// new. The order by not_before lets all of them have their turn. (A volatile clock would not use the index.)
func undelivered(ctx context.Context, tx pgx.Tx, limit, openings int) ([]undeliveredRow, error) {
	rows, err := tx.Query(ctx, `
		WITH again AS (
			SELECT id, ticket, seq FROM undelivered WHERE tries > 0 AND not_before <= statement_timestamp() AND (seq > 1 OR $2::int > 0)
			ORDER BY not_before LIMIT ($1::int + 1) / 2 FOR UPDATE SKIP LOCKED
		), later AS (
			SELECT id, ticket, seq FROM undelivered u
			WHERE tries = 0 AND seq > 1 AND NOT EXISTS (
				SELECT FROM undelivered held WHERE held.ticket = u.ticket AND (held.tries > 0 OR held.seq = 1))
			ORDER BY id LIMIT $1 - (SELECT count(*) FROM again) FOR UPDATE OF u SKIP LOCKED
		), first AS (
			SELECT id, ticket, seq FROM undelivered WHERE tries = 0 AND seq = 1
			ORDER BY id LIMIT least(greatest($2, 0), $1 - (SELECT count(*) FROM again) - (SELECT count(*) FROM later)) FOR UPDATE SKIP LOCKED
		)
		SELECT mine.id, mine.ticket, `+commandColumns+`
		FROM (SELECT * FROM again UNION ALL SELECT * FROM later UNION ALL SELECT * FROM first) mine
		JOIN commands c ON c.ticket = mine.ticket AND c.seq = mine.seq
		ORDER BY mine.id`, limit, openings)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowToStructByName[undeliveredRow])
}

// Untaken gives those of some tickets that no step has taken yet.
func (s *Store) Untaken(ctx context.Context, some []ticket.Number) ([]ticket.Number, error) {
	rows, err := s.pool.Query(ctx, `SELECT number FROM tickets WHERE number = ANY ($1) AND taken = 0`, some)
	if err != nil {
		return nil, explain(err, "look which tickets are taken")
	}
	untaken, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return untaken, explain(err, "look which tickets are taken")
}

// sorted gives the rows of what is done, and the first row of each ticket that is not.
func sorted(handed []undeliveredRow, done []desk.Delivery) (told, untold []int64) {
	type place struct {
		number ticket.Number
		seq    int64
	}
	isDone, stuck := map[place]bool{}, map[ticket.Number]bool{}
	for _, d := range done {
		isDone[place{d.Number, d.Command.Seq}] = true
	}
	for _, row := range handed {
		switch {
		case isDone[place{row.Ticket, row.Seq}]:
			told = append(told, row.ID)
		case !stuck[row.Ticket]:
			stuck[row.Ticket] = true
			untold = append(untold, row.ID)
		}
	}
	return told, untold
}

// settle forgets what was told, puts the rest back, and commits.
func settle(ctx context.Context, tx pgx.Tx, told, untold []int64, blame bool) error {
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM undelivered WHERE id = ANY ($1)`, told)
	if len(untold) > 0 {
		batch.Queue(`
			UPDATE undelivered SET tries = CASE WHEN $2 THEN tries + 1 ELSE greatest(tries, 1) END,
				not_before = clock_timestamp() + CASE WHEN $2
					THEN least(interval '1 second' * 2 ^ least(tries, 20), interval '10 minutes') ELSE interval '0' END
			WHERE id = ANY ($1)`, untold, blame)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
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
