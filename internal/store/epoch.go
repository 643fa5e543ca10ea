package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ErrRestored means that the database was restored from a backup while this process ran. What the process has cached, such as
// policies and the emergency schedule, may no longer exist in it, so the process must restart.
var ErrRestored error = fault.New(fault.Unavailable, "the database was restored from a backup: this process must restart")

// needsWorkflow selects the tickets t that need a workflow: open ones, and closed ones with pending commands or unsent
// deliveries.
const needsWorkflow = `(t.status <> 'closed' OR t.taken < t.last_command
	OR EXISTS (SELECT FROM deliveries WHERE ticket = t.number AND status = 'owed'))`

// openLinks selects the one-time links that RaiseEpoch revokes.
const openLinks = `used_at IS NULL AND expires_at > clock_timestamp()`

// PlanRestoration returns what RaiseEpoch would do, and changes nothing.
func (s *Store) PlanRestoration(ctx context.Context) (r desk.Restoration, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT (SELECT number FROM epoch), (SELECT max(latest_at) FROM tickets),
			(SELECT count(*) FROM tickets t WHERE `+needsWorkflow+`), (SELECT count(*) FROM links WHERE `+openLinks+`)`).
		Scan(&r.Epoch, nullable(&r.Latest), &r.Tickets, &r.Links)
	return r, explain(err, "read what a restored database contains")
}

// RaiseEpoch begins a new epoch after the database was restored from a backup, in one transaction. Message-IDs and deliveries'
// numbers from now on differ from those used since the backup was made, and all workflows that are needed are listed to be
// replaced. All sessions and links in mails end, since some may have ended after the backup was made and would work again.
// It is Invalid without a reason or a name. Calling it again is safe, and lists the workflows anew.
func (s *Store) RaiseEpoch(ctx context.Context, reason, by string) (r desk.Restoration, err error) {
	if reason == "" || by == "" {
		return r, fault.New(fault.Invalid, "raising the epoch requires a name and a reason")
	}
	// Under the exclusive lock of the emergency schedule, so that each step and each submission belongs to one epoch.
	err = s.lockSchedule(ctx, "raise the epoch", func(g *scheduleTx) (err error) {
		r, err = raiseEpoch(ctx, g.tx, reason, by)
		return err
	})
	return r, err
}

// raiseEpoch does the work of RaiseEpoch in tx.
func raiseEpoch(ctx context.Context, tx pgx.Tx, reason, by string) (r desk.Restoration, err error) {
	batch := &pgx.Batch{}
	batch.Queue(`
		UPDATE epoch SET number = greatest(number + 1, floor(extract(epoch FROM clock_timestamp()))::bigint), raised_at = clock_timestamp(),
			raised_by = $1, reason = $2, replaced_at = NULL
		RETURNING number, (SELECT max(latest_at) FROM tickets)`, by, reason).
		QueryRow(func(row pgx.Row) error { return row.Scan(&r.Epoch, nullable(&r.Latest)) })
	batch.Queue(`INSERT INTO replacements SELECT t.number FROM tickets t WHERE ` + needsWorkflow + ` ON CONFLICT DO NOTHING`)
	batch.Queue(`SELECT count(*) FROM replacements WHERE workflow <> $1`, desk.EmergencyReplacement).QueryRow(func(row pgx.Row) error { return row.Scan(&r.Tickets) })
	batch.Queue(`INSERT INTO replacements VALUES ($1) ON CONFLICT DO NOTHING`, desk.EmergencyReplacement)
	// This leaves 2^20 numbers for each second between two epochs, and stays within JavaScript's safe integers.
	batch.Queue(`SELECT setval('deliveries_n', greatest(nextval('deliveries_n'), (SELECT number << 20 FROM epoch)))`)
	batch.Queue(`DELETE FROM leases`) // held by processes when the backup was made
	batch.Queue(`UPDATE people SET session_epoch = session_epoch + 1, links_since = ` + linksFromNow)
	batch.Queue(`UPDATE links SET expires_at = clock_timestamp() WHERE ` + openLinks).
		Exec(func(tag pgconn.CommandTag) error { r.Links = int(tag.RowsAffected()); return nil })
	if err = tx.SendBatch(ctx, batch).Close(); err != nil {
		return r, err
	}
	return r, record(ctx, tx, account.Event{Kind: account.EventSessionsEnded, Detail: "everyone's, after a restore"})
}

// Replacing returns how far the replacement of workflows that RaiseEpoch listed is.
func (s *Store) Replacing(ctx context.Context) (r desk.Replacing, err error) {
	err = s.pool.QueryRow(ctx, `SELECT number, (SELECT count(*) FROM replacements), number = 0 OR replaced_at IS NOT NULL FROM epoch`).
		Scan(&r.Epoch, &r.Left, &r.Over)
	return r, explain(err, "read the progress of replacing workflows")
}

// ToReplace returns a page of the workflows still to be replaced, ordered by ID: at most limit of them, after one.
func (s *Store) ToReplace(ctx context.Context, after string, limit int) ([]string, error) {
	rows, _ := s.pool.Query(ctx, `SELECT workflow FROM replacements WHERE workflow > $1 ORDER BY workflow LIMIT $2`, after, limit)
	workflows, err := pgx.CollectRows(rows, pgx.RowTo[string])
	return workflows, explain(err, "list the workflows to replace")
}

// Replaced records that a workflow was replaced. It does nothing if another epoch has begun since.
func (s *Store) Replaced(ctx context.Context, epoch int64, workflow string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM replacements WHERE workflow = $2 AND (SELECT number FROM epoch) = $1`, epoch, workflow)
	return explain(err, "record that workflow %s was replaced", workflow)
}

// ReplacingOver records that an epoch's workflows are all replaced, if none is left.
func (s *Store) ReplacingOver(ctx context.Context, epoch int64) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE epoch SET replaced_at = clock_timestamp()
		WHERE number = $1 AND NOT EXISTS (SELECT FROM replacements)`, epoch)
	return explain(err, "record that all workflows are replaced")
}

// Unknown returns those of some numbers for which there is no ticket.
func (s *Store) Unknown(ctx context.Context, some []ticket.Number) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT number FROM unnest($1::text[]) number WHERE NOT EXISTS (SELECT FROM tickets t WHERE t.number = number.number)`, some)
	unknown, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return unknown, explain(err, "list unknown tickets")
}

// epochInterval is the time between WatchEpoch's queries.
const epochInterval = 5 * time.Second

// WatchEpoch returns ErrRestored once the epoch differs from that at the time of the call, and nil if ctx ends first.
func (s *Store) WatchEpoch(ctx context.Context) error {
	for began := int64(-1); ; {
		var now int64
		err := s.pool.QueryRow(ctx, `SELECT number FROM epoch`).Scan(&now)
		switch {
		case err != nil: // the database is unavailable; what comes back may be a copy
		case began < 0:
			began = now
		case now != began:
			return ErrRestored
		}
		if !loop.Sleep(ctx, epochInterval) {
			return nil
		}
	}
}
