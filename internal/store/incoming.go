package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// incomingChannel is notified of every incoming mail.
const incomingChannel = "incoming_mails"

var errNoIncoming = fault.New(fault.NotFound, "there is no such incoming email")

// AwaitIncoming calls wake once it listens, and whenever a mail is added, until ctx ends or the connection breaks. Its error
// is never nil.
func (s *Store) AwaitIncoming(ctx context.Context, wake func()) error {
	return s.await(ctx, incomingChannel, wake)
}

const incomingColumns = `id, coalesce(blob, ''), size, fingerprint, source, mailbox, client, helo, return_path, recipients, received_at, status,
	attempts, sender, subject, reason, detail, coalesce(ticket, ''), trust, trust_detail,
	coalesce((SELECT jsonb_build_object('id', id, 'name', name, 'handle', handle, 'role', role) FROM people WHERE people.id = settled_by), '{}'), settled_at, coalesce(trace, '')`

func scanIncoming(row pgx.CollectableRow) (m desk.IncomingMail, err error) {
	return m, row.Scan(&m.ID, &m.Blob, &m.Size, &m.Fingerprint, &m.Source, &m.Mailbox, &m.Client, &m.Helo, &m.ReturnPath, &m.Recipients,
		&m.Received, &m.Status, &m.Attempts, &m.Sender, &m.Subject, &m.Reason, &m.Detail, &m.Ticket, &m.Trust, &m.TrustDetail,
		&m.SettledBy, nullable(&m.Settled), &m.Trace)
}

// claimsLock is the advisory lock that serializes claims of incoming mails.
const claimsLock = 0x636c61696d73

// ClaimIncoming claims the oldest mail that may be processed now. found is false if there is none. Those that were deferred
// come after the others: the many of a sender who has used up an allowance don't take the turns of other people's. Mails to one ticket,
// and those of one sender to none, are processed one after the other, so that an answer does not overtake the one before it.
func (s *Store) ClaimIncoming(ctx context.Context, attempt string, lasts time.Duration) (m desk.IncomingMail, found bool, err error) {
	err = s.within(ctx, func(tx pgx.Tx) error {
		// Simultaneous claims don't see each other: they would claim two mails of one sender.
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock($1)`, int64(claimsLock)); err != nil {
			return err
		}
		rows, _ := tx.Query(ctx, `
		UPDATE incoming_mails SET claimed_by = @attempt, claimed_until = clock_timestamp() + @lasts, attempts = attempts + 1
		WHERE id = coalesce((`+claimable(`= '-infinity'`)+`), (`+claimable(`<= clock_timestamp()`)+`))
		RETURNING `+incomingColumns, pgx.StrictNamedArgs{"attempt": attempt, "lasts": lasts})
		m, err = pgx.CollectExactlyOneRow(rows, scanIncoming)
		return err
	})
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.IncomingMail{}, false, nil
	}
	return m, err == nil, explain(err, "claim an incoming mail")
}

// claimable returns a query for the oldest mail that no attempt has claimed and that was deferred until a time. A mail to a ticket
// waits for earlier ones to that ticket only, and not for the many that its sender, which may be a relay or a mailing list, has
// sent otherwise.
func claimable(until string) string {
	return `
		SELECT id FROM incoming_mails m
		WHERE status = 'received' AND not_before ` + until + ` AND (claimed_until IS NULL OR claimed_until < clock_timestamp())
			AND NOT EXISTS (SELECT FROM incoming_mails e WHERE e.status = 'received' AND e.id < m.id AND e.claimed_until >= clock_timestamp()
				AND e.thread = m.thread AND (m.thread <> '' OR e.return_path = m.return_path))
		ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED`
}

// RenewIncoming renews an attempt's claim. It returns Conflict if the claim has expired and another attempt has begun.
func (s *Store) RenewIncoming(ctx context.Context, id int64, attempt string, lasts time.Duration) error {
	err := ofAttempt(ctx, s.pool, `UPDATE incoming_mails SET claimed_until = clock_timestamp() + @lasts`, id, attempt,
		pgx.StrictNamedArgs{"lasts": lasts})
	return explain(err, "renew a claim")
}

// DeferIncoming ends an attempt that failed, and defers the next one by pause. An attempt that does not count, because a
// neighbour was unavailable, is not an attempt any more. why is shown to staff.
func (s *Store) DeferIncoming(ctx context.Context, id int64, attempt string, counts bool, pause time.Duration, why string) error {
	err := ofAttempt(ctx, s.pool, `UPDATE incoming_mails SET claimed_by = NULL, claimed_until = NULL,
		attempts = attempts - (NOT @counts)::int, not_before = clock_timestamp() + @pause, detail = @why`, id, attempt,
		pgx.StrictNamedArgs{"counts": counts, "pause": pause, "why": storable(why)})
	return explain(err, "defer an incoming mail")
}

// ReadIncoming records what was read of a mail, before it becomes anything: mails that it causes refer to its Message-ID. It
// returns for how long the sender could not be verified.
func (s *Store) ReadIncoming(ctx context.Context, m desk.ReadMail) (unverified time.Duration, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE incoming_mails SET sender = $2, subject = $3, message_id = $4, trust = $5, trust_detail = $6,
			encrypted = $8, signed = $9, calendar = $10,
			unverified_since = CASE WHEN $7 THEN coalesce(unverified_since, clock_timestamp()) END
		WHERE id = $1 AND status = 'received' RETURNING coalesce(clock_timestamp() - unverified_since, interval '0')`,
		m.ID, storable(m.From.Address), storable(m.Subject), storable(m.MessageID), m.Trust, storable(m.TrustDetail), m.Unverified,
		m.Traits.Encrypted, m.Traits.Signed, m.Traits.Calendar).Scan(&unverified)
	return unverified, explain(missing(err, errClaimLost), "record what was read of an incoming mail")
}

// SettleIncoming ends an attempt with its result. An author who is to be notified of a quarantine is sent an email, unless they
// were sent one about this mail before.
func (s *Store) SettleIncoming(ctx context.Context, id int64, attempt string, r desk.IncomingResult) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		err := ofAttempt(ctx, tx, `UPDATE incoming_mails SET claimed_by = NULL, claimed_until = NULL,
			status = @status, undecided = @status = 'accepted', reason = @reason, detail = @detail, ticket = nullif(@ticket, ''),
			processed_at = clock_timestamp()`, id, attempt,
			pgx.StrictNamedArgs{"status": r.Status, "reason": r.Reason, "detail": storable(r.Detail), "ticket": string(r.Ticket)})
		if err != nil || r.Author == "" {
			return err
		}
		return s.insertQuarantineNotice(ctx, tx, id, r.Author)
	})
	return explain(err, "settle an incoming mail")
}

var errClaimLost = fault.New(fault.Conflict, "another attempt processes this email")

// ofAttempt runs an update on the mail that an attempt has claimed.
func ofAttempt(ctx context.Context, q querier, update string, id int64, attempt string, args pgx.StrictNamedArgs) error {
	args["id"], args["attempt"] = id, attempt
	tag, err := q.Exec(ctx, update+` WHERE id = @id AND claimed_by = @attempt AND status = 'received'`, args)
	if err == nil && tag.RowsAffected() == 0 {
		err = errClaimLost
	}
	return err
}

// lastCommand selects the command that a mail m became last.
const lastCommand = `SELECT c.ticket, c.seq, c.by_person, c.by_role FROM messages w JOIN commands c ON c.ticket = w.ticket AND c.message = w.id
	WHERE w.mail = m.id ORDER BY w.id DESC LIMIT 1`

// Became returns the command that a mail became, the last one if it was refused before. found is false if it became none.
func (s *Store) Became(ctx context.Context, id int64) (c desk.MailCommand, found bool, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT c.ticket, c.seq, EXISTS (SELECT FROM messages w JOIN commands s ON s.ticket = w.ticket AND s.message = w.id
				WHERE w.mail = m.id AND w.ticket = c.ticket AND s.seq = 1), c.by_person, c.by_role, coalesce(o.refused, false), coalesce(o.code, ''), coalesce(o.reason, ''), o.decided_at
		FROM incoming_mails m CROSS JOIN LATERAL (`+lastCommand+`) c LEFT JOIN outcomes o ON o.ticket = c.ticket AND o.seq = c.seq
		WHERE m.id = $1`, id).
		Scan(&c.Ticket, &c.Seq, &c.Opened, &c.By.ID, &c.By.Role, &c.Outcome.Refused, &c.Outcome.Code, &c.Outcome.Reason, nullable(&c.Decided))
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.MailCommand{}, false, nil
	}
	return c, err == nil, explain(err, "look for the command of incoming mail %d", id)
}

// RecheckIncoming looks at the outcomes of the commands that accepted mails became. Mails whose commands were refused are to be
// processed again; it returns how many.
func (s *Store) RecheckIncoming(ctx context.Context) (refused int, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH decided AS (
			SELECT m.id, o.refused FROM incoming_mails m CROSS JOIN LATERAL (`+lastCommand+`) c JOIN outcomes o ON o.ticket = c.ticket AND o.seq = c.seq
			WHERE m.undecided
		), checked AS (
			UPDATE incoming_mails m SET undecided = false, status = CASE WHEN d.refused THEN 'received' ELSE m.status END,
				processed_at = CASE WHEN d.refused THEN NULL ELSE m.processed_at END, attempts = 0, not_before = '-infinity'
			FROM decided d WHERE d.id = m.id AND m.undecided RETURNING d.refused
		)
		SELECT count(*) FILTER (WHERE refused) FROM checked`).Scan(&refused)
	return refused, explain(err, "look at the outcomes of incoming mails")
}

// NextIncoming returns when the next mail may be processed; the zero time if there is none.
func (s *Store) NextIncoming(ctx context.Context) (next time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT CASE WHEN count(*) > 0 THEN greatest(min(greatest(not_before, claimed_until)), clock_timestamp() + @pause::interval) END
		FROM incoming_mails WHERE status = 'received'`, pgx.StrictNamedArgs{"pause": claimedPause}).Scan(nullable(&next))
	return next, explain(err, "look for an incoming mail")
}

// Incoming returns a mail.
func (s *Store) Incoming(ctx context.Context, id int64) (desk.IncomingMail, error) {
	rows, _ := s.pool.Query(ctx, `SELECT `+incomingColumns+` FROM incoming_mails WHERE id = $1`, id)
	m, err := pgx.CollectExactlyOneRow(rows, scanIncoming)
	return m, explain(missing(err, errNoIncoming), "load incoming mail %d", id)
}

func storableAll(texts []string) []string {
	all := make([]string, 0, len(texts))
	for _, text := range texts {
		all = append(all, storable(text))
	}
	return all
}
