package store

import (
	"context"
	"strings"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxReason is in bytes: a mail server's answer is somebody else's text.
const maxReason = 2000

var errNoMail = fault.New(fault.NotFound, "there is no such mail")

// Sent notes that a mail was handed over. Noted twice, or of a mail that bounced, it changes nothing.
func (s *Store) Sent(ctx context.Context, n ticket.Number, mail int) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE mails SET settled_at = coalesce(settled_at, clock_timestamp()),
			status = CASE status WHEN 'owed' THEN 'sent' ELSE status END
		WHERE ticket = $1 AND n = $2`, n, mail)
	if err == nil && tag.RowsAffected() == 0 {
		return errNoMail
	}
	return explain(err, "note that mail %d of %s was sent", mail, n)
}

// Bounced notes that a mail can't be delivered, and why; also of one that was sent before, since some servers refuse
// late. The first reason stays. A step that is asked to puts it on the timeline.
func (s *Store) Bounced(ctx context.Context, n ticket.Number, mail int, reason string) error {
	tag, err := s.pool.Exec(ctx, `
		UPDATE mails SET status = 'bounced', reason = coalesce(reason, $3),
			settled_at = CASE status WHEN 'bounced' THEN settled_at ELSE clock_timestamp() END
		WHERE ticket = $1 AND n = $2`, n, mail, storable(reason, maxReason))
	if err == nil && tag.RowsAffected() == 0 {
		return errNoMail
	}
	return explain(err, "note that mail %d of %s bounced", mail, n)
}

// storable cuts a text down to what PostgreSQL can hold and to a length in bytes.
func storable(text string, limit int) string {
	text = strings.ReplaceAll(text, "\x00", "")
	if len(text) > limit {
		text = text[:limit]
	}
	return strings.ToValidUTF8(text, "")
}
