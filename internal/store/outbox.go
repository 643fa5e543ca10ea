package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxReason is the longest reason stored, in bytes. Reasons quote the answers of mail servers, which may be of any length.
const maxReason = 2000

const (
	deliveryChannel = "deliveries"
	claimedPause    = 100 * time.Millisecond // before checking again for deliveries that others have claimed
)

var (
	errNoMail     = fault.New(fault.NotFound, "there is no such email")
	errNoDelivery = fault.New(fault.NotFound, "there is no such delivery")
)

// whereKey returns the condition that selects the delivery with a key, in the form that an index serves, and adds its
// arguments to args.
func whereKey(k outbox.Key, args pgx.StrictNamedArgs) (string, pgx.StrictNamedArgs) {
	args["queue"], args["n"] = k.Queue, k.N
	if k.Ticket == "" {
		return `queue = @queue AND n = @n AND ticket IS NULL`, args
	}
	args["ticket"] = k.Ticket
	return `ticket = @ticket AND n = @n AND queue = @queue`, args
}

// ClaimDelivery claims a delivery for an attempt, or renews the attempt's claim, and reports whether it succeeded. It does not
// while another attempt's claim on an unsent delivery is active. It is NotFound if there is no such delivery.
func (s *Store) ClaimDelivery(ctx context.Context, k outbox.Key, try string, lasts time.Duration) (ours bool, err error) {
	which, args := whereKey(k, pgx.StrictNamedArgs{"try": try, "lasts": lasts})
	err = s.pool.QueryRow(ctx, `
		WITH claim AS (
			UPDATE deliveries SET claimed_by = @try, claimed_until = clock_timestamp() + @lasts
			WHERE `+which+` AND (status <> 'owed' OR claimed_by IS NULL OR claimed_by = @try OR claimed_until < clock_timestamp())
			RETURNING 1)
		SELECT EXISTS (SELECT FROM claim) FROM deliveries WHERE `+which, args).Scan(&ours)
	return ours, explain(missing(err, errNoDelivery), "claim a delivery")
}

// mailRateKey is the key of the allowance of all mails of tickets.
var mailRateKey = []byte("mails of tickets")

// maxMailDebt is how long, at most, mails that are counted without room for them keep others from being sent.
const maxMailDebt = 5 * time.Second

// SpendMail counts a mail for the rate of mails, in mails a second, of all workers, if the rate has room for it, which ok reports.
// It allows bursts of a second. With always, it counts also a mail for which there is no room. Counting is not worth a flush.
func (s *Store) SpendMail(ctx context.Context, perSecond float64, always bool) (ok bool, err error) {
	each, burst := time.Duration(float64(time.Second)/perSecond), time.Second
	batch := &pgx.Batch{}
	batch.Queue(asyncCommit)
	batch.Queue(`
		INSERT INTO allowances AS a (key, spent_until) VALUES (@key, clock_timestamp() + @each::interval)
		ON CONFLICT (key) DO UPDATE SET spent_until = least(greatest(a.spent_until, clock_timestamp()) + @each, clock_timestamp() + @debt::interval)
		WHERE @always OR a.spent_until <= clock_timestamp() + @room::interval`,
		pgx.StrictNamedArgs{"key": mailRateKey, "each": each, "room": max(burst-each, 0), "debt": max(maxMailDebt, 2*each), "always": always}).
		Exec(func(tag pgconn.CommandTag) error {
			ok = tag.RowsAffected() == 1
			return nil
		})
	return ok, explain(s.pool.SendBatch(ctx, batch).Close(), "count a mail")
}

// emergenciesChangedAt selects when the emergency of each announcement was last changed. For Options.Settle after that, none
// of its mails is sent, since the announcement of the change may supersede them.
const emergenciesChangedAt = `(SELECT a.id AS announcement, max(c.at) AS changed_at
	FROM announcements a JOIN emergency_changes c ON c.emergency = a.emergency GROUP BY 1)`

// ClaimNextDelivery claims for an attempt the delivery of a queue that has been due the longest; due is false if none may
// be sent now. It serves the queues of accounts and announcements, whose deliveries have no ticket.
func (s *Store) ClaimNextDelivery(ctx context.Context, q outbox.Queue, try string, lasts time.Duration) (k outbox.Key, due bool, err error) {
	args := pgx.StrictNamedArgs{"queue": q, "try": try, "lasts": lasts}
	settled := ``
	if q == outbox.AnnouncementMails {
		settled = `AND announcement <> ALL (ARRAY(SELECT announcement FROM ` + emergenciesChangedAt + ` c WHERE changed_at > clock_timestamp() - @settle::interval))`
		args["settle"] = s.settle
	}
	k.Queue = q
	err = s.pool.QueryRow(ctx, `
		UPDATE deliveries SET claimed_by = @try, claimed_until = clock_timestamp() + @lasts
		WHERE ticket IS NULL AND queue = @queue AND n = (
			SELECT n FROM deliveries
			WHERE ticket IS NULL AND queue = @queue AND status = 'owed' AND not_before <= clock_timestamp()
				AND (claimed_until IS NULL OR claimed_until < clock_timestamp()) `+settled+`
			ORDER BY not_before, n LIMIT 1 FOR UPDATE SKIP LOCKED)
		RETURNING n`, args).Scan(&k.N)
	due, err = found(err)
	return k, due, explain(err, "claim the next delivery")
}

// ReleaseDelivery ends an attempt's claim, if it still has it.
func (s *Store) ReleaseDelivery(ctx context.Context, k outbox.Key, try string) error {
	which, args := whereKey(k, pgx.StrictNamedArgs{"try": try})
	_, err := s.pool.Exec(ctx, `UPDATE deliveries SET claimed_by = NULL, claimed_until = NULL WHERE `+which+` AND claimed_by = @try`, args)
	return explain(err, "release a delivery")
}

// settledFrom are the statuses from which a delivery may change to another. A mail superseded while it was being sent becomes
// sent all the same, and a mail server may bounce a mail that it has accepted. A webhook call's first result is final.
var settledFrom = map[desk.DeliveryStatus][]string{
	desk.DeliverySent:       {"owed", "superseded"},
	desk.DeliveryBounced:    {"held", "owed", "sent", "superseded"},
	desk.DeliveryFailed:     {"owed"},
	desk.DeliverySuperseded: {"owed"},
}

// SettleDelivery records a delivery's final status, with the reason if it bounced or failed. It is idempotent: the first
// reason stays. It is NotFound if there is no such delivery.
func (s *Store) SettleDelivery(ctx context.Context, k outbox.Key, status desk.DeliveryStatus, reason string) error {
	which, args := whereKey(k, pgx.StrictNamedArgs{"status": status, "reason": storable(reason), "from": settledFrom[status]})
	var found, settled bool
	batch := &pgx.Batch{}
	batch.Queue(`
		WITH settled AS (
			UPDATE deliveries SET status = @status, settled_at = clock_timestamp(),
				reason = CASE WHEN @status IN ('bounced', 'failed') THEN @reason ELSE reason END,
				tries = tries + (@status = 'failed')::int,
				deferred_at = CASE WHEN @status = 'failed' THEN coalesce(deferred_at, clock_timestamp()) ELSE deferred_at END
			WHERE `+which+` AND status = ANY (@from)
			RETURNING 1)
		SELECT EXISTS (SELECT FROM deliveries WHERE `+which+`), EXISTS (SELECT FROM settled)`, args).
		QueryRow(func(row pgx.Row) error { return row.Scan(&found, &settled) })
	if k.Queue == outbox.AccountMails {
		queueCleanup(batch)
	}
	if err := s.pool.SendBatch(ctx, batch).Close(); err != nil {
		return explain(err, "settle a delivery")
	}
	if k.Queue == outbox.AccountMails {
		if err := s.Accounts().sweepAllowances(ctx); err != nil {
			return err
		}
	}
	if !found {
		return errNoDelivery
	}
	if settled && k.Ticket != "" {
		s.notifyChange(k.Ticket, desk.ChangeMail)
	}
	return nil
}

// DeferDelivery counts a failed attempt, defers the next one by pause, and returns when the first attempt failed. A reason that
// is not empty replaces the previous one. A settled delivery does not change. It is NotFound if there is no such delivery.
func (s *Store) DeferDelivery(ctx context.Context, k outbox.Key, reason string, pause time.Duration) (since time.Time, err error) {
	which, args := whereKey(k, pgx.StrictNamedArgs{"reason": storable(reason), "pause": pause})
	err = s.pool.QueryRow(ctx, `
		UPDATE deliveries SET deferred_at = coalesce(deferred_at, clock_timestamp()),
			tries = tries + (status = 'owed')::int,
			reason = CASE status WHEN 'owed' THEN coalesce(nullif(@reason, ''), reason) ELSE reason END,
			not_before = CASE WHEN @pause::interval > interval '0' THEN clock_timestamp() + @pause ELSE not_before END
		WHERE `+which+`
		RETURNING deferred_at`, args).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, errNoDelivery
	}
	if err == nil && k.Ticket != "" {
		s.notifyChange(k.Ticket, desk.ChangeMail)
	}
	return since, explain(err, "defer a delivery")
}

// PostponeDelivery defers a delivery by pause without counting an attempt, so that others go first.
func (s *Store) PostponeDelivery(ctx context.Context, k outbox.Key, pause time.Duration) error {
	which, args := whereKey(k, pgx.StrictNamedArgs{"pause": pause})
	_, err := s.pool.Exec(ctx, `UPDATE deliveries SET not_before = clock_timestamp() + @pause WHERE `+which+` AND status = 'owed'`, args)
	return explain(err, "postpone a delivery")
}

// storable returns a text without NUL bytes and invalid UTF-8, which PostgreSQL refuses, cut to maxReason bytes.
func storable(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	return strings.ToValidUTF8(text, "")
}

// NextDelivery returns when the next delivery of a queue may be sent; the zero time if there is none. One that is due
// already is claimed by another process or has just been added, so it returns an instant shortly ahead.
func (s *Store) NextDelivery(ctx context.Context, q outbox.Queue) (next time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT CASE WHEN count(*) > 0 THEN greatest(min(greatest(not_before, claimed_until)), clock_timestamp() + @pause::interval) END
		FROM deliveries WHERE queue = @queue AND ticket IS NULL AND status = 'owed'`,
		pgx.StrictNamedArgs{"queue": q, "pause": claimedPause}).Scan(nullable(&next))
	return next, explain(err, "look for a delivery")
}

// AnnouncementsLeft returns how many announcement mails are unsent, and when the next of them may be sent.
func (s *Store) AnnouncementsLeft(ctx context.Context) (result ticket.SendAnnouncementsResult, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), nullif(greatest(min(greatest(not_before, claimed_until, changed_at + $1::interval)), '1970-01-01'), '1970-01-01')
		FROM deliveries LEFT JOIN `+emergenciesChangedAt+` c USING (announcement)
		WHERE queue = 'announcement' AND ticket IS NULL AND status = 'owed'`, s.settle).Scan(&result.Left, nullable(&result.Next))
	return result, explain(err, "count announcements' mails")
}

// AwaitDeliveries calls wake once it listens, and whenever a delivery is added that no workflow sends, until ctx ends or the
// connection breaks. Its error is never nil.
func (s *Store) AwaitDeliveries(ctx context.Context, wake func()) error {
	return s.await(ctx, deliveryChannel, wake)
}

// await calls wake once it listens to a channel, and for each notification, until ctx ends or the connection breaks. Its error
// is never nil.
func (s *Store) await(ctx context.Context, channel string, wake func()) error {
	conn, err := pgx.ConnectConfig(ctx, s.pool.Config().ConnConfig)
	if err != nil {
		return explain(err, "listen for %s", channel)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
		return explain(err, "listen for %s", channel)
	}
	for {
		wake()
		if _, err := conn.WaitForNotification(ctx); err != nil {
			return explain(err, "listen for %s", channel)
		}
	}
}

const (
	noticeLifetime   = 5 * 24 * time.Hour // after which a mail without a link is not sent any more
	settledRetention = 7 * 24 * time.Hour // after which settled mails and expired links are deleted
)

// insertAccountMail inserts an account's mail without a link. The sender is notified when the transaction commits.
func (s *Store) insertAccountMail(ctx context.Context, tx pgx.Tx, kind account.MailKind, to desk.Person) error {
	_, err := tx.Exec(ctx, `
		WITH owed AS (
			INSERT INTO deliveries (queue, kind, name, address, expires_at, trace)
			VALUES ('account', @kind, @name, @address, clock_timestamp() + @lasts, nullif(@trace, ''))
		)
		SELECT pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"kind": kind, "name": to.Name, "address": to.Address, "lasts": noticeLifetime, "trace": s.traceOf(ctx)})
	return err
}

// OwedMail returns an account's mail and its delivery status. The mail's Until is when it stops being of use: when it or its
// link expires, or when its link was used. It is NotFound if there is none.
func (a *Accounts) OwedMail(ctx context.Context, id int64) (m account.Mail, status desk.DeliveryStatus, err error) {
	err = a.pool.QueryRow(ctx, `
		SELECT m.n, m.kind, m.name, m.address, coalesce(m.link, ''), m.tries, m.owed_at, least(m.expires_at, l.expires_at, l.used_at),
			coalesce(t.label, m.about_address, q.subject, ''), coalesce('write' = ANY (t.scopes), false), coalesce(q.id, 0), coalesce(q.detail, ''), m.status
		FROM deliveries m LEFT JOIN links l ON l.id = m.link LEFT JOIN tokens t ON t.id = m.token LEFT JOIN incoming_mails q ON q.id = m.incoming
		WHERE m.queue = 'account' AND m.n = $1 AND m.ticket IS NULL`, id).
		Scan(&m.ID, &m.Kind, &m.To.Name, &m.To.Address, &m.LinkID, &m.Tries, &m.At, &m.Until, &m.Label, &m.Writes, &m.Incoming, &m.Reason, &status)
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
