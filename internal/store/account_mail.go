package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
)

const (
	accountMailChannel = "account_mails"
	noticeLasts        = 5 * 24 * time.Hour // a mail that only tells something is of no use to anybody later
	takenPause         = 100 * time.Millisecond
	settledLasts       = 7 * 24 * time.Hour // what has been sent is kept this long, for whoever looks into it
)

// owe keeps a mail that carries no link, for the transaction's commit to send.
func owe(ctx context.Context, tx pgx.Tx, kind account.Kind, to desk.Person) error {
	_, err := tx.Exec(ctx, `
		WITH owed AS (
			INSERT INTO account_mails (kind, to_name, to_address, expires_at)
			VALUES (@kind, @name, @address, clock_timestamp() + @lasts)
		)
		SELECT pg_notify('account_mails', '')`,
		pgx.StrictNamedArgs{"kind": kind, "name": to.Name, "address": to.Address, "lasts": noticeLasts})
	return err
}

// NextMail takes the mail that has been due the longest: for as long as that lasts, no other process gets it. A mail
// whose link has been used or called off is of no use any more, like one whose time is over.
func (a *Accounts) NextMail(ctx context.Context, lasts time.Duration) (m account.Owed, found bool, next time.Time, err error) {
	err = a.pool.QueryRow(ctx, `
		UPDATE account_mails m SET not_before = clock_timestamp() + $1
		WHERE id = (
			SELECT id FROM account_mails WHERE settled_at IS NULL AND not_before <= clock_timestamp()
			ORDER BY not_before, id LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING m.id, m.kind, m.to_name, m.to_address, coalesce(m.link, ''), m.tries, m.made_at, (
			SELECT least(m.expires_at, l.expires_at, l.used_at) FROM (VALUES (1)) always LEFT JOIN links l ON l.id = m.link),
			coalesce((SELECT label FROM tokens WHERE id = m.token), ''),
			coalesce((SELECT 'write' = ANY (scopes) FROM tokens WHERE id = m.token), false)`,
		lasts).Scan(&m.ID, &m.Kind, &m.To.Name, &m.To.Address, &m.LinkID, &m.Tries, &m.At, &m.Until, &m.Label, &m.Writes)
	switch {
	case err == nil:
		return m, true, time.Time{}, nil
	case !errors.Is(err, pgx.ErrNoRows):
		return m, false, time.Time{}, explain(err, "take a mail")
	}
	var due *time.Time
	// What is due already is another's just now, or has come in this moment.
	err = a.pool.QueryRow(ctx, `
		SELECT CASE WHEN count(*) > 0 THEN greatest(min(not_before), clock_timestamp() + @pause::interval) END
		FROM account_mails WHERE settled_at IS NULL`, pgx.StrictNamedArgs{"pause": takenPause}).Scan(&due)
	if due != nil {
		next = *due
	}
	return m, false, next, explain(err, "look for a mail")
}

// HoldMail renews a claim.
func (a *Accounts) HoldMail(ctx context.Context, id int64, lasts time.Duration) error {
	_, err := a.pool.Exec(ctx, `UPDATE account_mails SET not_before = clock_timestamp() + $2 WHERE id = $1 AND settled_at IS NULL`, id, lasts)
	return explain(err, "hold a mail")
}

// SettleMail notes that a mail was sent, or with a reason that it was given up. It clears away what was settled long
// ago and links that are long over, each more than one mail brings, so none pile up; and once an hour the allowances that
// are full again.
func (a *Accounts) SettleMail(ctx context.Context, id int64, reason string) error {
	_, err := a.pool.Exec(ctx, `
		WITH mails AS (
			DELETE FROM account_mails WHERE id IN (SELECT id FROM account_mails WHERE settled_at < clock_timestamp() - @keep::interval LIMIT 10)
		), over AS (
			DELETE FROM links WHERE id IN (
				SELECT id FROM links l WHERE expires_at < clock_timestamp() - @keep::interval
				AND NOT EXISTS (SELECT FROM account_mails WHERE link = l.id) LIMIT 10)
		)
		UPDATE account_mails SET settled_at = clock_timestamp(), reason = nullif(@reason, '') WHERE id = @id AND settled_at IS NULL`,
		pgx.StrictNamedArgs{"id": id, "reason": reason, "keep": settledLasts})
	if err != nil {
		return explain(err, "settle a mail")
	}
	return a.sweepAllowances(ctx)
}

// PutMailOff counts a try that failed and frees the mail for the next after a pause.
func (a *Accounts) PutMailOff(ctx context.Context, id int64, pause time.Duration) error {
	_, err := a.pool.Exec(ctx, `UPDATE account_mails SET tries = tries + 1, not_before = clock_timestamp() + $2
		WHERE id = $1 AND settled_at IS NULL`, id, pause)
	return explain(err, "put a mail off")
}

// AwaitMails calls wake once it listens, and whenever a mail is owed, until ctx ends or the connection breaks.
func (a *Accounts) AwaitMails(ctx context.Context, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, a.pool.Config().ConnConfig)
	if err != nil {
		return explain(err, "listen for mails")
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+accountMailChannel); err != nil {
		return explain(err, "listen for mails")
	}
	for {
		wake()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return explain(err, "listen for mails")
		}
	}
}
