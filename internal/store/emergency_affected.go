package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Census counts the tickets that an emergency would affect now, and the requesters who would receive its announcements:
// those with an affected ticket submitted before an instant, or at any time if it is zero.
func (s *Store) Census(ctx context.Context, before time.Time) (c desk.AffectedCount, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*), count(*) FILTER (WHERE `+concerned+`), count(*) FILTER (WHERE `+concerned+` AND t.breached),
			(SELECT count(*) FROM (`+announcementRecipients+`) r)
		FROM tickets t WHERE t.status <> 'closed'`, instant(before)).
		Scan(&c.Open, &c.Owed, &c.Breached, &c.Requesters)
	return c, explain(err, "count the open tickets")
}

// OwedTickets returns up to limit tickets with targets that are still pending, numbered above after, in order. Ticket
// numbers are random, so the first pages are a fair sample.
func (s *Store) OwedTickets(ctx context.Context, after ticket.Number, limit int) ([]desk.OpenTicket, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT number, requester, policy, submitted_at, priority, category, state->'ticket'
		FROM tickets WHERE status <> 'closed' AND status <> 'resolved' AND number > $1 ORDER BY number LIMIT $2`, after, limit)
	page, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (o desk.OpenTicket, err error) {
		c := &o.Submission
		err = row.Scan(&o.Number, &o.Requester, &o.Policy, &c.At, &c.Priority, &c.Category, &o.State)
		c.Seq, c.Verb, c.By = 1, ticket.VerbSubmit, ticket.Actor{ID: o.Requester, Role: ticket.RoleCustomer}
		c.Message = 1 // any number, which does not affect targets
		return o, err
	})
	return page, explain(err, "read open tickets")
}

// Postbag counts the mails of an emergency's announcements by delivery status.
func (s *Store) Postbag(ctx context.Context, id ticket.EmergencyID) (p desk.DeliveryCounts, err error) {
	err = s.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE m.status = 'owed'), count(*) FILTER (WHERE m.status = 'sent'),
			count(*) FILTER (WHERE m.status = 'bounced'), count(*) FILTER (WHERE m.status = 'superseded'),
			count(*) FILTER (WHERE m.status = 'held'), max(m.settled_at)
		FROM announcements a JOIN deliveries m ON m.announcement = a.id WHERE a.emergency = $1`, id).
		Scan(&p.Owed, &p.Sent, &p.Bounced, &p.Superseded, &p.Held, nullable(&p.Last))
	return p, explain(err, "count the mails of emergency %s", id)
}
