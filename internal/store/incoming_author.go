package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// StaffAuthor returns the member of staff who is proven to have sent a mail: by their domain, or because the mail answers one that
// was sent to them. It is empty if there is none.
func (s *Store) StaffAuthor(ctx context.Context, m desk.ReadMail) (ticket.PersonID, error) {
	p, err := s.PersonByAddress(ctx, m.From.Address)
	switch {
	case fault.KindOf(err) == fault.NotFound:
		return "", nil
	case err != nil || !p.Role.Staff():
		return "", err
	case m.Trust == desk.TrustPass:
		return p.ID, nil
	}
	t, _, err := s.Thread(ctx, m, p.ID)
	if err != nil || !t.For(p.ID) {
		return "", err
	}
	return p.ID, nil
}

// QuarantineNotices counts the emails of the last hour that notify a person of a quarantine.
func (s *Store) QuarantineNotices(ctx context.Context, person ticket.PersonID) (n int, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*) FROM deliveries d JOIN people p ON p.address = d.address
		WHERE d.queue = 'account' AND d.ticket IS NULL AND d.kind = @kind AND d.owed_at > clock_timestamp() - interval '1 hour' AND p.id = @person`,
		pgx.StrictNamedArgs{"kind": account.EmailQuarantined, "person": person}).Scan(&n)
	return n, explain(err, "count the notices of quarantines")
}

// insertQuarantineNotice inserts an email that notifies the author of a mail of its quarantine, unless there was one about it before. The
// sender is notified when the transaction commits.
func (s *Store) insertQuarantineNotice(ctx context.Context, tx pgx.Tx, incoming int64, author ticket.PersonID) error {
	_, err := tx.Exec(ctx, `
		WITH owed AS (
			INSERT INTO deliveries (queue, kind, name, address, incoming, expires_at, trace)
			SELECT 'account', @kind, name, address, @incoming, clock_timestamp() + @lasts, nullif(@trace, '') FROM people WHERE id = @author AND disabled_at IS NULL
			ON CONFLICT (incoming) WHERE incoming IS NOT NULL DO NOTHING
		)
		SELECT pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"kind": account.EmailQuarantined, "incoming": incoming, "author": author, "lasts": noticeLifetime, "trace": s.traceOf(ctx)})
	return err
}
