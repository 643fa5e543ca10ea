package store

import (
	"context"
	"crypto/rand"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// recordTimeout is how long a relay that is being stopped may take to note what it has delivered.
	recordTimeout = 5 * time.Second
	// leaseDuration is how long commands stay with a relay that died or stands still. One that lives renews its lease.
	leaseDuration = 5 * time.Second
	leaseRenewal  = leaseDuration / 4
)

type undeliveredRow struct {
	ID     int64
	Ticket ticket.Number
	Actor  string
	commandRow
}

// Undelivered hands out up to limit commands that no workflow has been told of, oldest first, and marks those that
// deliver returns as delivered. Of each ticket's others the first is put behind the rest, and holds back the ticket's
// later ones: for a growing while, up to ten minutes, and for no time if deliver fails, since then it is not the
// command's fault. Once ctx has ended, nothing is held against any. Nothing is locked while deliver runs: what is handed
// out is leased, and handed out again, by any process, when the lease runs out without having been renewed, for this
// process died or stands still. So a command may be delivered twice, and a ticket's later command is never handed out
// while an earlier one is leased. At most openings of them are submissions, but for those tried before, which any room
// lets in; commands of tickets whose submission was delivered go first. It returns how many it handed out, and deliver's
// error.
func (s *Store) Undelivered(ctx context.Context, limit, openings int, deliver func(context.Context, []desk.Delivery) ([]desk.Delivery, error)) (int, error) {
	l := commandLease{store: s, name: rand.Text()}
	handed, err := l.claim(ctx, limit, openings)
	if err != nil || len(handed) == 0 {
		return 0, explain(err, "claim commands to deliver")
	}
	all := make([]desk.Delivery, 0, len(handed))
	for _, row := range handed {
		all = append(all, desk.Delivery{Number: row.Ticket, Command: row.command(), Actor: row.Actor})
		l.ids = append(l.ids, row.ID)
	}
	release := l.keepRenewed(ctx)
	done, failed := deliver(ctx, all)
	release()
	told, untold := splitDelivered(handed, done)
	if ctx.Err() != nil {
		untold = nil
	}
	noting, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := l.settle(noting, told, untold, failed == nil); err != nil {
		return len(all), explain(err, "note what was delivered")
	}
	return len(all), failed
}

// commandLease is one claim on several rows of undelivered. What it writes needs no flush to the disk: a lease or a delivery
// that a crash of PostgreSQL takes away costs a command delivered twice. It never waits for a row: a step that decides a
// delivered command deletes it.
type commandLease struct {
	store *Store
	name  string
	ids   []int64
}

// claim takes what is due. At most half are tried again, so that what Temporal refuses never keeps out what is new. The
// order by not_before lets all of them have their turn. (A volatile clock would not use the index.) An earlier command
// that another relay has just claimed may not show in this statement's snapshot; that it is not among those picked does.
func (l *commandLease) claim(ctx context.Context, limit, openings int) (handed []undeliveredRow, err error) {
	const free = `delivered_at IS NULL AND (claimed_until IS NULL OR claimed_until < statement_timestamp())`
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(`
		WITH again AS (
			SELECT id FROM undelivered WHERE tries > 0 AND not_before <= statement_timestamp() AND (seq > 1 OR $2::int > 0) AND `+free+`
			ORDER BY not_before LIMIT ($1::int + 1) / 2 FOR UPDATE SKIP LOCKED
		), later AS (
			SELECT id, ticket, seq FROM undelivered u
			WHERE tries = 0 AND seq > 1 AND `+free+` AND NOT EXISTS (
				SELECT FROM undelivered held WHERE held.ticket = u.ticket AND held.delivered_at IS NULL AND (
					held.tries > 0 OR held.seq = 1 OR held.seq < u.seq AND held.claimed_until >= statement_timestamp()))
			ORDER BY id LIMIT $1 - (SELECT count(*) FROM again) FOR UPDATE OF u SKIP LOCKED
		), first AS (
			SELECT id FROM undelivered WHERE tries = 0 AND seq = 1 AND `+free+`
			ORDER BY id LIMIT least(greatest($2, 0), $1 - (SELECT count(*) FROM again) - (SELECT count(*) FROM later)) FOR UPDATE SKIP LOCKED
		), mine AS (
			UPDATE undelivered SET claimed_by = $3, claimed_until = clock_timestamp() + $4::interval
			WHERE id = ANY (ARRAY(
				SELECT id FROM again UNION ALL SELECT id FROM first UNION ALL
				SELECT id FROM later WHERE NOT EXISTS (
					SELECT FROM undelivered earlier WHERE earlier.ticket = later.ticket AND earlier.seq < later.seq
						AND earlier.delivered_at IS NULL AND earlier.id NOT IN (SELECT id FROM later))))
			RETURNING id, ticket, seq
		)
		SELECT mine.id, mine.ticket, coalesce((SELECT handle FROM people WHERE id = c.by_person), '') AS actor, `+commandColumns+`
		FROM mine JOIN commands c ON c.ticket = mine.ticket AND c.seq = mine.seq
		ORDER BY mine.id`, limit, openings, l.name, leaseDuration).Query(func(rows pgx.Rows) error {
		handed, err = pgx.CollectRows(rows, pgx.RowToStructByName[undeliveredRow])
		return err
	})
	return handed, l.store.pool.SendBatch(ctx, batch).Close()
}

// asyncCommit lets the commit of its transaction return before it is on the disk.
const asyncCommit = `SELECT set_config('synchronous_commit', 'off', true)`

// keepRenewed renews the lease until the function that it returns is called. A renewal that fails is made up for by the next.
func (l *commandLease) keepRenewed(ctx context.Context) (release func()) {
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx)) // deliver may go on for a while after ctx has ended
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		beat := time.NewTicker(leaseRenewal)
		defer beat.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-beat.C:
				_ = l.renew(renewing)
			}
		}
	}()
	return func() {
		stop()
		<-stopped
	}
}

// renew prolongs the lease of those rows that no other relay has claimed meanwhile.
func (l *commandLease) renew(ctx context.Context) error {
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(`
		UPDATE undelivered SET claimed_until = clock_timestamp() + $3::interval
		WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) AND claimed_by = $2 FOR UPDATE SKIP LOCKED)`, l.ids, l.name, leaseDuration)
	return l.store.pool.SendBatch(ctx, batch).Close()
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

// splitDelivered gives the rows of what is done, and the first row of each ticket that is not.
func splitDelivered(handed []undeliveredRow, done []desk.Delivery) (told, untold []int64) {
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

// settle marks what was told, whoever has claimed it since, puts back the rest and ends the lease.
func (l *commandLease) settle(ctx context.Context, told, untold []int64, blame bool) error {
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(`
		UPDATE undelivered SET delivered_at = clock_timestamp(), claimed_by = NULL, claimed_until = NULL
		WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) AND delivered_at IS NULL FOR UPDATE SKIP LOCKED)`, told)
	if len(told) < len(l.ids) {
		batch.Queue(`
			UPDATE undelivered SET claimed_by = NULL, claimed_until = NULL,
				tries = CASE WHEN id <> ALL (coalesce($3::bigint[], '{}')) THEN tries WHEN $4 THEN tries + 1 ELSE greatest(tries, 1) END,
				not_before = CASE WHEN id <> ALL (coalesce($3, '{}')) THEN not_before WHEN $4
					THEN clock_timestamp() + least(interval '1 second' * 2 ^ least(tries, 20), interval '10 minutes') ELSE clock_timestamp() END
			WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) AND claimed_by = $2 FOR UPDATE SKIP LOCKED)`,
			l.ids, l.name, untold, blame)
	}
	return l.store.pool.SendBatch(ctx, batch).Close()
}
