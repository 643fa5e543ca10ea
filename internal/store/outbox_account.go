package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
)

const (
	noticeLifetime   = 5 * 24 * time.Hour // after which a mail without a link is not sent any more
	settledRetention = 7 * 24 * time.Hour // after which settled mails and expired links are deleted
)

// insertAccountMail inserts an account's mail without a link. The sender is notified when the transaction commits.
func insertAccountMail(ctx context.Context, tx pgx.Tx, kind account.MailKind, to desk.Person) error {
	_, err := tx.Exec(ctx, `
		WITH owed AS (
			INSERT INTO deliveries (queue, kind, name, address, expires_at)
			VALUES ('account', @kind, @name, @address, clock_timestamp() + @lasts)
		)
		SELECT pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"kind": kind, "name": to.Name, "address": to.Address, "lasts": noticeLifetime})
	return err
}

// OwedMail returns an account's mail and its delivery status. The mail's Until is when it stops being of use: when it or its
// link expires, or when its link was used. It is NotFound if there is no such mail.
func (a *Accounts) OwedMail(ctx context.Context, id int64) (m account.StoredMail, status desk.DeliveryStatus, err error) {
	err = a.pool.QueryRow(ctx, `
		SELECT m.n, m.kind, m.name, m.address, coalesce(m.link, ''), m.tries, m.owed_at, least(m.expires_at, l.expires_at, l.used_at),
			coalesce(t.label, ''), coalesce('write' = ANY (t.scopes), false), m.status
		FROM deliveries m LEFT JOIN links l ON l.id = m.link LEFT JOIN tokens t ON t.id = m.token
		WHERE m.queue = 'account' AND m.n = $1 AND m.ticket IS NULL`, id).
		Scan(&m.ID, &m.Kind, &m.To.Name, &m.To.Address, &m.LinkID, &m.Tries, &m.At, &m.Until, &m.Label, &m.Writes, &status)
	return m, status, explain(missing(err, errNoMail), "load an account's mail")
}

// queueCleanup deletes some of the accounts' mails and links that ended settledRetention ago. Each call deletes more than
// one mail adds, so they don't accumulate.
func queueCleanup(batch *pgx.Batch) {
	batch.Queue(`
		WITH mails AS (
			DELETE FROM deliveries WHERE ticket IS NULL AND queue = 'account' AND n IN (
				SELECT n FROM deliveries WHERE queue = 'account' AND settled_at < clock_timestamp() - @keep::interval LIMIT 10)
		)
		DELETE FROM links WHERE id IN (
			SELECT id FROM links l WHERE expires_at < clock_timestamp() - @keep::interval
			AND NOT EXISTS (SELECT FROM deliveries WHERE link = l.id) LIMIT 10)`,
		pgx.StrictNamedArgs{"keep": settledRetention})
}
