package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// errIncomingDecided is returned for a mail that staff may not release or delete, because it became something, is being
// processed, or was deleted.
var errIncomingDecided = fault.NewConflict("email-decided", "this email is neither in quarantine nor recorded any more")

// errIncomingShown is returned for a mail of which a ticket shows a part: its original is not deleted.
var errIncomingShown = fault.NewConflict("email-shown", "a ticket shows a part of this email, so it can't be deleted")

// IncomingMails returns a page of incoming mails, the newest first. more reports whether there are others after it.
func (s *Store) IncomingMails(ctx context.Context, f desk.IncomingFilter) (page []desk.IncomingMail, more bool, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT `+incomingColumns+` FROM incoming_mails WHERE status = @status AND (@before::bigint = 0 OR id < @before)
		ORDER BY id DESC LIMIT @limit + 1`,
		pgx.StrictNamedArgs{"status": f.Status, "before": f.Before, "limit": f.Limit})
	page, err = pgx.CollectRows(rows, scanIncoming)
	if err != nil {
		return nil, false, explain(err, "list the incoming mails")
	}
	if more = len(page) > f.Limit; more {
		page = page[:f.Limit]
	}
	return page, more, nil
}

// IncomingBlobs returns up to limit mails with an ID after another, in order, for a check of their blobs.
func (s *Store) IncomingBlobs(ctx context.Context, after int64, limit int) ([]desk.IncomingMail, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+incomingColumns+` FROM incoming_mails WHERE id > $1 AND blob IS NOT NULL ORDER BY id LIMIT $2`, after, limit)
	mails, err := pgx.CollectRows(rows, scanIncoming)
	return mails, explain(err, "list the blobs of incoming mails")
}

// Quarantined returns the number of mails in quarantine, counted up to limit.
func (s *Store) Quarantined(ctx context.Context, limit int) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM (SELECT FROM incoming_mails WHERE status = 'quarantined' LIMIT $1) AS counted`, limit).Scan(&n)
	return n, explain(err, "count the quarantine")
}

// ReleaseIncoming has a mail that is in quarantine or recorded processed again, as one that a person released.
func (s *Store) ReleaseIncoming(ctx context.Context, by ticket.PersonID, id int64) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		return decideIncoming(ctx, tx, account.EventMailReleased, by, id, `UPDATE incoming_mails SET status = 'received', processed_at = NULL, attempts = 0,
			unverified_since = NULL, not_before = '-infinity', settled_by = $2, settled_at = clock_timestamp() `)
	})
	if err != nil {
		return explain(err, "release incoming mail %d", id)
	}
	// The sweep finds the mail if the notification is lost.
	s.notifier.send(notification{channel: incomingChannel})
	return nil
}

// DeleteIncoming deletes the content of a mail that is in quarantine or recorded, and of its duplicates. It returns the keys of
// the blobs, which the caller deletes. The row remains, with who deleted it.
func (s *Store) DeleteIncoming(ctx context.Context, by ticket.PersonID, id int64) (keys []string, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		rows, _ := tx.Query(ctx, `SELECT blob FROM incoming_mails WHERE (id = $1 OR duplicate_of = $1) AND blob IS NOT NULL ORDER BY id FOR UPDATE`, id)
		if keys, err = pgx.CollectRows(rows, pgx.RowTo[string]); err != nil {
			return err
		}
		if err := decideIncoming(ctx, tx, account.EventMailDeleted, by, id, `UPDATE incoming_mails SET status = 'deleted', blob = NULL,
			settled_by = $2, settled_at = clock_timestamp() `); err != nil {
			return err
		}
		var shown bool // a ticket shows a part of it, though it is in quarantine
		if err := tx.QueryRow(ctx, `SELECT EXISTS (SELECT FROM messages w JOIN events e ON e.ticket = w.ticket AND e.message = w.id
			WHERE w.mail = $1 AND e.kind <> 'refused')`, id).Scan(&shown); err != nil {
			return err
		}
		if shown {
			return errIncomingShown
		}
		_, err := tx.Exec(ctx, `UPDATE incoming_mails SET blob = NULL WHERE duplicate_of = $1`, id)
		return err
	})
	if err != nil {
		return nil, explain(err, "delete incoming mail %d", id)
	}
	return keys, nil
}

// decideIncoming runs an update, of which the condition is added here, on a mail that staff may decide about.
func decideIncoming(ctx context.Context, tx pgx.Tx, kind account.EventKind, by ticket.PersonID, id int64, update string) error {
	var sender string
	err := tx.QueryRow(ctx, update+`WHERE id = $1 AND status IN ('quarantined', 'recorded') RETURNING sender`, id, by).Scan(&sender)
	if errors.Is(err, pgx.ErrNoRows) {
		if err := tx.QueryRow(ctx, `SELECT FROM incoming_mails WHERE id = $1`, id).Scan(); err != nil {
			return missing(err, errNoIncoming)
		}
		return errIncomingDecided
	}
	if err != nil {
		return err
	}
	return record(ctx, tx, account.Event{Kind: kind, Actor: by, Detail: fmt.Sprintf("email %d from %s", id, sender)})
}

// BlockedSenders returns the blocklist in alphabetical order.
func (s *Store) BlockedSenders(ctx context.Context) ([]desk.BlockedSender, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT b.sender, b.blocked_at, p.id, p.name, coalesce(p.handle, ''), p.role
		FROM blocked_senders b JOIN people p ON p.id = b.blocked_by ORDER BY b.sender`)
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (b desk.BlockedSender, err error) {
		return b, row.Scan(&b.Sender, &b.At, &b.By.ID, &b.By.Name, &b.By.Handle, &b.By.Role)
	})
	return list, explain(err, "list the blocklist")
}

// Block adds an address, or a domain with an @ before it, to the blocklist, or removes it. Neither is an error if it was done
// before.
func (s *Store) Block(ctx context.Context, by ticket.PersonID, sender string, blocked bool) error {
	sender = strings.ToLower(sender)
	kind, statement, args := account.EventSenderUnblocked, `DELETE FROM blocked_senders WHERE sender = $1`, []any{sender}
	if blocked {
		kind, args = account.EventSenderBlocked, append(args, by)
		statement = `INSERT INTO blocked_senders (sender, blocked_by) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	}
	err := s.within(ctx, func(tx pgx.Tx) error {
		tag, err := tx.Exec(ctx, statement, args...)
		if err != nil || tag.RowsAffected() == 0 {
			return err
		}
		return record(ctx, tx, account.Event{Kind: kind, Actor: by, Detail: sender})
	})
	return explain(err, "change the blocklist")
}
