package store

import (
	"context"
	"crypto/rand"
	_ "embed"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// recordTimeout is how long recording deliveries may take, also while the process stops.
	recordTimeout = 5 * time.Second
	// leaseDuration is how long commands remain leased to a process that died or hangs. A live one renews its lease.
	leaseDuration = 5 * time.Second
	leaseRenewal  = leaseDuration / 4
)

type undeliveredRow struct {
	ID     int64
	Ticket ticket.Number
	Actor  string
	Trace  string
	Pinned int64 // version of the ticket's policy; only of submissions
	commandRow
}

// decided reports whether steps were taken before the submission was claimed, as of an imported ticket: its row only starts the workflow.
func (r undeliveredRow) decided() bool { return r.Verb == ticket.VerbSubmit && r.Pinned == 0 }

// Undelivered calls deliver with up to limit commands of which no workflow has been notified, oldest first, and marks those
// that deliver returns as delivered. It returns how many it passed, and deliver's error.
//
// Of each ticket's other commands the first is deferred, and holds back the ticket's later ones, for a growing time of up to
// ten minutes. If deliver fails, the command is not the cause and may be passed again at once. If ctx has ended, no
// command is deferred.
//
// Nothing is locked while deliver runs. The commands are leased, and a lease is renewed meanwhile; if it expires, because
// this process died or hangs, any process may deliver them again. So a command may be delivered twice, and a ticket's
// later command is never passed while an earlier one is leased.
//
// The parameter submissions limits the new tickets among them: at most so many commands are submissions, not counting those
// tried before, which are passed if it is positive. Commands of tickets whose submission was delivered go first.
func (s *Store) Undelivered(ctx context.Context, limit, submissions int, deliver func(context.Context, []desk.AcceptedCommand) ([]desk.AcceptedCommand, error)) (int, error) {
	l := commandLease{store: s, name: rand.Text()}
	claimed, err := l.claim(ctx, limit, submissions)
	if err != nil || len(claimed) == 0 {
		return 0, explain(err, "claim commands to deliver")
	}
	all := make([]desk.AcceptedCommand, 0, len(claimed))
	for _, row := range claimed {
		all = append(all, desk.AcceptedCommand{
			Number: row.Ticket, Command: row.command(), Actor: row.Actor, Trace: row.Trace, Expected: s.expected(ctx, row),
		})
		l.ids = append(l.ids, row.ID)
	}
	release := l.keepRenewed(ctx)
	done, deliverErr := deliver(ctx, all)
	release()
	settled := splitDelivered(claimed, done)
	if ctx.Err() != nil {
		settled.failed = nil
	}
	recording, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTimeout)
	defer cancel()
	if err := l.settle(recording, settled, deliverErr == nil); err != nil {
		return len(all), explain(err, "record what was delivered")
	}
	return len(all), deliverErr
}

// expected returns what the first step of a submitted ticket will return, or nil if that is not known, or if steps were taken before,
// as those of an imported ticket.
func (s *Store) expected(ctx context.Context, row undeliveredRow) (digest *ticket.Digest) {
	defer func() {
		if recover() != nil { // a defect of the domain, which the step reports: it must not end the process
			digest = nil
		}
	}()
	if row.Verb != ticket.VerbSubmit || row.decided() {
		return nil
	}
	p, err := s.policy(ctx, s.pool, row.Pinned)
	if err != nil {
		return nil // the step reports it
	}
	d, ok := ticket.ExpectedDigest(row.Ticket, row.Pinned, p, row.command())
	if !ok {
		return nil
	}
	return &d
}

// commandLease is a claim on rows of undelivered. It commits without waiting for the disk: if a crash of PostgreSQL loses a
// lease or a delivery, a command is delivered twice. It never waits for a row's lock, as a step that decides a delivered
// command deletes the row.
type commandLease struct {
	store *Store
	name  string
	ids   []int64
}

//go:embed relay_claim.sql
var claimTemplate string

var claimSQL = strings.NewReplacer("{columns}", commandColumns,
	"{unleased}", `delivered_at IS NULL AND (claimed_until IS NULL OR claimed_until < statement_timestamp())`).Replace(claimTemplate)

// claim leases commands that are due.
func (l *commandLease) claim(ctx context.Context, limit, submissions int) (claimed []undeliveredRow, err error) {
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(claimSQL, pgx.StrictNamedArgs{
		"limit": limit, "submissions": submissions, "name": l.name, "duration": leaseDuration,
	}).Query(func(rows pgx.Rows) error {
		claimed, err = pgx.CollectRows(rows, pgx.RowToStructByName[undeliveredRow])
		return err
	})
	return claimed, l.store.pool.SendBatch(ctx, batch).Close()
}

// asyncCommit lets the commit of its transaction return before it is flushed to disk.
const asyncCommit = `SELECT set_config('synchronous_commit', 'off', true)`

// SettleLeased records what became of commands that were accepted under a lease: those in delivered were delivered, and any
// process may deliver those in released. It ignores those whose lease has ended, most of them because they are decided.
func (s *Store) SettleLeased(ctx context.Context, lease string, delivered, released []desk.AcceptedCommand) error {
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(withoutScans)
	for _, some := range []struct {
		commands []desk.AcceptedCommand
		set      string
	}{{delivered, `delivered_at = clock_timestamp(), `}, {released, ``}} {
		if len(some.commands) == 0 {
			continue
		}
		tickets, seqs := make([]ticket.Number, len(some.commands)), make([]int64, len(some.commands))
		for i, c := range some.commands {
			tickets[i], seqs[i] = c.Number, c.Command.Seq
		}
		batch.Queue(`
			UPDATE undelivered SET `+some.set+`claimed_by = NULL, claimed_until = NULL WHERE id IN (
				SELECT u.id FROM unnest($1::text[], $2::bigint[]) AS c (ticket, seq) JOIN undelivered u USING (ticket, seq)
				WHERE u.claimed_by = $3 AND u.delivered_at IS NULL FOR UPDATE OF u SKIP LOCKED)`, tickets, seqs, lease)
	}
	return explain(s.pool.SendBatch(ctx, batch).Close(), "record what was delivered")
}

// withoutScans prevents plans that were cached while a table was nearly empty, and would scan all of it in a rush.
const withoutScans = `SELECT set_config('enable_seqscan', 'off', true)`

// keepRenewed renews the lease until the function that it returns is called. Errors are ignored, as the next renewal comes
// before the lease expires.
func (l *commandLease) keepRenewed(ctx context.Context) (release func()) {
	ctx = context.WithoutCancel(ctx) // deliver may run on after ctx has ended
	return loop.Every(ctx, leaseRenewal, func(ctx context.Context) { _ = l.renew(ctx) })
}

// renew extends the lease of the rows that no other relay has claimed meanwhile.
func (l *commandLease) renew(ctx context.Context) error {
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(`
		UPDATE undelivered SET claimed_until = clock_timestamp() + $3::interval
		WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) AND claimed_by = $2 FOR UPDATE SKIP LOCKED)`, l.ids, l.name, leaseDuration)
	return l.store.pool.SendBatch(ctx, batch).Close()
}

// Untaken returns those of some tickets that have taken no step yet.
func (s *Store) Untaken(ctx context.Context, some []ticket.Number) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, `SELECT number FROM tickets WHERE number = ANY ($1) AND taken = 0`, some)
	untaken, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return untaken, explain(err, "list the tickets without a step")
}

// settledRows are IDs of claimed rows.
type settledRows struct {
	delivered []int64 // their commands will be decided by a step, which deletes them
	decided   []int64 // delivered, too; their commands were decided before, as those of imported tickets
	failed    []int64 // of each ticket the first that was not delivered
}

func splitDelivered(claimed []undeliveredRow, done []desk.AcceptedCommand) (settled settledRows) {
	type place struct {
		number ticket.Number
		seq    int64
	}
	isDone, stuck := map[place]bool{}, map[ticket.Number]bool{}
	for _, d := range done {
		isDone[place{d.Number, d.Command.Seq}] = true
	}
	for _, row := range claimed {
		switch {
		case isDone[place{row.Ticket, row.Seq}] && row.decided():
			settled.decided = append(settled.decided, row.ID)
		case isDone[place{row.Ticket, row.Seq}]:
			settled.delivered = append(settled.delivered, row.ID)
		case !stuck[row.Ticket]:
			stuck[row.Ticket] = true
			settled.failed = append(settled.failed, row.ID)
		}
	}
	return settled
}

// settle marks rows as delivered, even if another relay has claimed them since, and ends the lease of the others. The failed
// ones are retried: after a growing delay if they were refused, and at once if Temporal was unavailable. Those of decided commands
// are deleted, as no step will.
func (l *commandLease) settle(ctx context.Context, rows settledRows, refused bool) error {
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(`
		UPDATE undelivered SET delivered_at = clock_timestamp(), claimed_by = NULL, claimed_until = NULL
		WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) AND delivered_at IS NULL FOR UPDATE SKIP LOCKED)`, rows.delivered)
	if len(rows.decided) > 0 {
		batch.Queue(`DELETE FROM undelivered WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) FOR UPDATE SKIP LOCKED)`, rows.decided)
	}
	if len(rows.delivered)+len(rows.decided) < len(l.ids) {
		batch.Queue(`
			UPDATE undelivered SET claimed_by = NULL, claimed_until = NULL,
				tries = CASE WHEN id <> ALL (coalesce($3::bigint[], '{}')) THEN tries WHEN $4 THEN tries + 1 ELSE greatest(tries, 1) END,
				not_before = CASE WHEN id <> ALL (coalesce($3, '{}')) THEN not_before WHEN $4
					THEN clock_timestamp() + least(interval '1 second' * 2 ^ least(tries, 20), interval '10 minutes') ELSE clock_timestamp() END
			WHERE id IN (SELECT id FROM undelivered WHERE id = ANY ($1) AND claimed_by = $2 FOR UPDATE SKIP LOCKED)`,
			l.ids, l.name, rows.failed, refused)
	}
	return l.store.pool.SendBatch(ctx, batch).Close()
}
