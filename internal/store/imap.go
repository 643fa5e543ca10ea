package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// ClaimMailbox claims an IMAP mailbox for an owner, or renews its claim, and returns its position. held is false if another
// owner has claimed it. A mailbox whose address has changed is another one and is read from its beginning.
func (s *Store) ClaimMailbox(ctx context.Context, name, address, owner string, lasts time.Duration) (p desk.MailboxPosition, held bool, err error) {
	err = s.pool.QueryRow(ctx, `
		INSERT INTO imap_mailboxes AS m (name, address, claimed_by, claimed_until)
		VALUES (@name, @address, @owner, clock_timestamp() + @lasts)
		ON CONFLICT (name) DO UPDATE SET claimed_by = excluded.claimed_by, claimed_until = excluded.claimed_until, address = excluded.address,
			tried_at = clock_timestamp(), uid_validity = CASE WHEN m.address = excluded.address THEN m.uid_validity ELSE 0 END,
			last_uid = CASE WHEN m.address = excluded.address THEN m.last_uid ELSE 0 END
		WHERE m.claimed_by IS NULL OR m.claimed_by = @owner OR m.claimed_until < clock_timestamp()
		RETURNING uid_validity, last_uid`,
		pgx.StrictNamedArgs{"name": name, "address": address, "owner": owner, "lasts": lasts}).Scan(&p.Validity, &p.UID)
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.MailboxPosition{}, false, nil
	}
	return p, err == nil, explain(err, "claim the mailbox %s", name)
}

var errMailboxLost = fault.New(fault.Conflict, "another process reads this mailbox")

// AdvanceMailbox records that all mails up to a position are stored. read is true if it has no further mail now. It returns
// Conflict if the owner has lost its claim.
func (s *Store) AdvanceMailbox(ctx context.Context, name, owner string, p desk.MailboxPosition, read bool) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE imap_mailboxes SET uid_validity = @validity, last_uid = @uid,
			read_at = CASE WHEN @read THEN clock_timestamp() ELSE read_at END,
			failing_since = CASE WHEN NOT @read THEN failing_since END, error = CASE WHEN @read THEN '' ELSE error END
		WHERE name = @name AND claimed_by = @owner`,
		pgx.StrictNamedArgs{"name": name, "owner": owner, "validity": p.Validity, "uid": p.UID, "read": read})
	if err == nil && tag.RowsAffected() == 0 {
		err = errMailboxLost
	}
	return explain(err, "record the position in the mailbox %s", name)
}

// SkipMail records a mail that is left in its mailbox, and that all mails up to it are stored.
func (s *Store) SkipMail(ctx context.Context, owner string, p desk.MailboxPosition, m desk.SkippedMail) error {
	tag, err := s.pool.Exec(ctx, `
		WITH advanced AS (
			UPDATE imap_mailboxes SET uid_validity = @validity, last_uid = @uid WHERE name = @name AND claimed_by = @owner RETURNING name)
		INSERT INTO imap_skipped (mailbox, uid_validity, uid, size, sender, subject, reason)
		SELECT name, @validity, @uid, @size, @sender, @subject, @reason FROM advanced
		ON CONFLICT ON CONSTRAINT imap_skipped_once DO UPDATE SET skipped_at = excluded.skipped_at`,
		pgx.StrictNamedArgs{
			"name": m.Mailbox, "owner": owner, "validity": p.Validity, "uid": p.UID, "size": m.Size,
			"sender": storable(m.Sender), "subject": storable(m.Subject), "reason": storable(m.Reason),
		})
	if err == nil && tag.RowsAffected() == 0 {
		err = errMailboxLost
	}
	return explain(err, "record a skipped mail of the mailbox %s", m.Mailbox)
}

// ReleaseMailbox ends an owner's claim. A failure, if it is not empty, is why the mailbox can't be read.
func (s *Store) ReleaseMailbox(ctx context.Context, name, owner, failure string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE imap_mailboxes SET claimed_by = NULL, claimed_until = NULL, error = CASE WHEN @failure = '' THEN error ELSE @failure END,
			failing_since = CASE WHEN @failure = '' THEN failing_since ELSE coalesce(failing_since, clock_timestamp()) END
		WHERE name = @name AND claimed_by = @owner`,
		pgx.StrictNamedArgs{"name": name, "owner": owner, "failure": storable(failure)})
	return explain(err, "release the mailbox %s", name)
}

// RetireMailboxes forgets the status of the mailboxes that are not among names and that no process has tried to read for idle:
// they are no longer configured. Their positions stay.
func (s *Store) RetireMailboxes(ctx context.Context, names []string, idle time.Duration) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE imap_mailboxes SET failing_since = NULL, error = '', read_at = NULL
		WHERE NOT name = ANY(@names) AND tried_at < clock_timestamp() - @idle::interval AND (read_at IS NOT NULL OR failing_since IS NOT NULL)`,
		pgx.StrictNamedArgs{"names": append([]string{}, names...), "idle": idle})
	return explain(err, "retire mailboxes")
}

// MailboxStatuses returns the status of every mailbox that was ever read or fails.
func (s *Store) MailboxStatuses(ctx context.Context) ([]desk.MailboxStatus, error) {
	rows, _ := s.pool.Query(ctx, `SELECT name, read_at, failing_since, error FROM imap_mailboxes
		WHERE read_at IS NOT NULL OR failing_since IS NOT NULL ORDER BY name`)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m desk.MailboxStatus, err error) {
		return m, row.Scan(&m.Name, nullable(&m.ReadAt), nullable(&m.Failing), &m.Error)
	})
	return all, explain(err, "list mailboxes")
}

// SkippedMails returns the mails that were left in their mailboxes since an instant, the newest first, up to limit.
func (s *Store) SkippedMails(ctx context.Context, since time.Time, limit int) ([]desk.SkippedMail, error) {
	rows, _ := s.pool.Query(ctx, `SELECT mailbox, size, sender, subject, reason, skipped_at FROM imap_skipped
		WHERE skipped_at >= $1 ORDER BY skipped_at DESC LIMIT $2`, since, limit)
	all, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (m desk.SkippedMail, err error) {
		return m, row.Scan(&m.Mailbox, &m.Size, &m.Sender, &m.Subject, &m.Reason, &m.At)
	})
	return all, explain(err, "list skipped mails")
}
