package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// History returns a ticket's commands and deliveries. It returns NotFound if there is no such ticket.
func (s *Store) History(ctx context.Context, n ticket.Number) (h desk.History, err error) {
	if h.Commands, err = s.commandRecords(ctx, n); err == nil {
		h.Mails, err = s.mailRecords(ctx, n)
	}
	if err == nil {
		h.Calls, err = s.webhookCalls(ctx, n)
	}
	if err == nil && len(h.Commands) == 0 { // every ticket has at least its submission
		err = errNoTicket
	}
	return h, explain(err, "load the history of %s", n)
}

func (s *Store) commandRecords(ctx context.Context, n ticket.Number) ([]desk.CommandRecord, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.seq, c.verb, coalesce(p.id, '') AS by, coalesce(p.name, '') AS name, coalesce(p.handle, '') AS handle, c.by_role AS role,
			c.accepted_at, coalesce(a.id, '') AS agent, coalesce(a.name, '') AS agent_name, coalesce(a.handle, '') AS agent_handle,
			coalesce(a.role, '') AS agent_role, coalesce(c.priority, '') AS priority, coalesce(c.category, '') AS category,
			coalesce(o.refused, false), coalesce(o.code, '') AS code, coalesce(o.reason, '') AS reason, o.decided_at
		FROM commands c
		LEFT JOIN people p ON p.id = `+knownAs("c.by_person")+`
		LEFT JOIN people a ON a.id = c.assignee
		LEFT JOIN outcomes o ON o.ticket = c.ticket AND o.seq = c.seq
		WHERE c.ticket = $1 ORDER BY c.seq`, n)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c desk.CommandRecord, err error) {
		var agent desk.Ref
		err = row.Scan(&c.Seq, &c.Verb, &c.By.ID, &c.By.Name, &c.By.Handle, &c.By.Role, &c.At, &agent.ID, &agent.Name, &agent.Handle, &agent.Role,
			&c.Priority, &c.Category, &c.Outcome.Refused, &c.Outcome.Code, &c.Outcome.Reason, nullable(&c.Taken))
		if agent.ID != "" {
			c.Agent = &agent
		}
		c.Decided = !c.Taken.IsZero()
		return c, err
	})
}

func (s *Store) mailRecords(ctx context.Context, n ticket.Number) ([]desk.Posted, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT m.n, m.kind, p.id, p.name, coalesce(p.handle, '') AS handle, p.role, m.status, e.at, m.event,
			m.settled_at, m.deferred_at, coalesce(m.reason, '') AS reason, coalesce(m.resends, 0) AS resends, coalesce(m.address, '') AS address,
			EXISTS (SELECT FROM deliveries a WHERE a.ticket = m.ticket AND a.resends = m.n) AS resent
		FROM deliveries m
		JOIN people p ON p.id = `+knownAs("m.person")+`
		JOIN events e ON e.ticket = m.ticket AND e.n = m.event
		WHERE m.ticket = $1 AND m.queue = 'ticket' ORDER BY m.n`, n)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (p desk.Posted, err error) {
		err = row.Scan(&p.N, &p.Kind, &p.To.ID, &p.To.Name, &p.To.Handle, &p.To.Role, &p.Status, &p.Owed, &p.Event,
			nullable(&p.Settled), nullable(&p.Deferred), &p.Reason, &p.Resends, &p.Address, &p.Resent)
		return p, err
	})
}

// mostOthers is the number of a requester's other tickets that are listed.
const mostOthers = 20

// Others returns the newest mostOthers other tickets of a ticket's requester, and how many there are in all, counted up
// to mostCounted.
func (s *Store) Others(ctx context.Context, n ticket.Number) (newest []desk.TicketSummary, count int, err error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT t.number, m.subject, t.status, t.priority, t.category, t.submitted_at, t.updated_at,
			(SELECT count(*) FROM (SELECT FROM tickets WHERE requester = t.requester AND number <> $1 LIMIT $3) others)
		FROM tickets t
		JOIN commands c ON c.ticket = t.number AND c.seq = 1
		JOIN messages m ON m.id = c.message
		WHERE t.requester = (SELECT requester FROM tickets WHERE number = $1) AND t.number <> $1
		ORDER BY t.submitted_at DESC, t.number DESC LIMIT $2`, n, mostOthers, maxCounted)
	newest, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (b desk.TicketSummary, err error) {
		return b, row.Scan(&b.Number, &b.Subject, &b.Status, &b.Priority, &b.Category, &b.Submitted, &b.Updated, &count)
	})
	return newest, count, explain(err, "look for other tickets of the requester of %s", n)
}

// Undecided returns a person's own commands to a ticket that no step has decided yet, oldest first.
func (s *Store) Undecided(ctx context.Context, by desk.Person, n ticket.Number) ([]desk.PendingCommand, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT c.seq, c.verb, c.accepted_at AS at, coalesce(m.body, '') AS body, coalesce(m.format, 'text') AS format, `+filesOf("m.id")+` AS files
		FROM tickets t JOIN commands c ON c.ticket = t.number AND c.seq > t.taken LEFT JOIN messages m ON m.id = c.message
		WHERE t.number = $1 AND c.by_person = $2 ORDER BY c.seq`, n, by.ID)
	undecided, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (c desk.PendingCommand, err error) {
		var files []byte
		if err = row.Scan(&c.Seq, &c.Verb, &c.At, &c.Body, &c.Format, &files); err == nil {
			c.Files, err = readFiles(files, n)
		}
		return c, err
	})
	return undecided, explain(err, "look for what %s has not decided", n)
}
