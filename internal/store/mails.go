package store

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxReason is in bytes: a mail server's answer is somebody else's text.
const maxReason = 2000

var errNoMail = fault.New(fault.NotFound, "there is no such mail")

// Claim takes a mail for one try, or renews that, and reports whether it could: not while another try's claim on a mail
// that is owed has not run out.
func (s *Store) Claim(ctx context.Context, n ticket.Number, mail int, try string, lasts time.Duration) (ours bool, err error) {
	err = s.pool.QueryRow(ctx, `
		WITH claim AS (
			UPDATE mails SET claimed_by = $3, claimed_until = clock_timestamp() + $4
			WHERE ticket = $1 AND n = $2 AND (status <> 'owed' OR claimed_by IS NULL OR claimed_by = $3 OR claimed_until < clock_timestamp())
			RETURNING 1)
		SELECT EXISTS (SELECT FROM claim) FROM mails WHERE ticket = $1 AND n = $2`, n, mail, try, lasts).Scan(&ours)
	if errors.Is(err, pgx.ErrNoRows) {
		return false, errNoMail
	}
	return ours, explain(err, "claim mail %d of %s", mail, n)
}

// Release ends a try's claim on a mail, if it still has one.
func (s *Store) Release(ctx context.Context, n ticket.Number, mail int, try string) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE mails SET claimed_by = NULL, claimed_until = NULL
		WHERE ticket = $1 AND n = $2 AND claimed_by = $3`, n, mail, try)
	return explain(err, "release mail %d of %s", mail, n)
}

// Sent notes that a mail was handed over. Noted twice, or of a mail that bounced, it changes nothing.
func (s *Store) Sent(ctx context.Context, n ticket.Number, mail int) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE mails SET settled_at = coalesce(settled_at, clock_timestamp()),
			status = CASE status WHEN 'owed' THEN 'sent' ELSE status END
		WHERE ticket = $1 AND n = $2`, n, mail)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoMail
	}
	if err == nil {
		s.announce(ctx, n, desk.ChangeMail)
	}
	return explain(err, "note that mail %d of %s was sent", mail, n)
}

// Bounced notes that a mail can't be delivered, and why; also of one that was sent before, since some servers refuse
// late. The first reason stays. A step that is asked to puts it on the timeline.
func (s *Store) Bounced(ctx context.Context, n ticket.Number, mail int, reason string) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE mails SET status = 'bounced', reason = coalesce(reason, $3),
			settled_at = CASE status WHEN 'bounced' THEN settled_at ELSE clock_timestamp() END
		WHERE ticket = $1 AND n = $2`, n, mail, storable(reason))
	if err == nil && tag.RowsAffected() == 0 {
		return errNoMail
	}
	if err == nil {
		s.announce(ctx, n, desk.ChangeMail)
	}
	return explain(err, "note that mail %d of %s bounced", mail, n)
}

// Deferred notes that a mail server put a mail off, and gives when one did so first.
func (s *Store) Deferred(ctx context.Context, n ticket.Number, mail int) (since time.Time, err error) {
	err = s.pool.QueryRow(ctx, `
		UPDATE mails SET deferred_at = coalesce(deferred_at, clock_timestamp())
		WHERE ticket = $1 AND n = $2
		RETURNING deferred_at`, n, mail).Scan(&since)
	if errors.Is(err, pgx.ErrNoRows) {
		return time.Time{}, errNoMail
	}
	if err == nil {
		s.announce(ctx, n, desk.ChangeMail)
	}
	return since, explain(err, "note that mail %d of %s was put off", mail, n)
}

// storable cuts a text down to what PostgreSQL can hold and to maxReason bytes.
func storable(text string) string {
	text = strings.ReplaceAll(text, "\x00", "")
	if len(text) > maxReason {
		text = text[:maxReason]
	}
	return strings.ToValidUTF8(text, "")
}
