package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// overdueColumns selects what the reconciler needs to know of a ticket t. $1 is how long due events, commands and deliveries
// may be pending before they count.
const overdueColumns = `t.number,
	t.next_due < statement_timestamp() - $1::interval AND t.status <> 'closed' AS due,
	EXISTS (SELECT FROM undelivered u WHERE u.ticket = t.number AND u.seq > t.taken AND u.delivered_at < statement_timestamp() - $1::interval) AS undecided,
	(SELECT count(DISTINCT person) FROM deliveries m WHERE m.ticket = t.number AND m.queue = 'ticket' AND m.status = 'owed' AND m.owed_at < statement_timestamp() - $1::interval) AS mails,
	(SELECT count(DISTINCT webhook) FROM deliveries m WHERE m.ticket = t.number AND m.queue = 'webhook' AND m.status = 'owed' AND m.owed_at < statement_timestamp() - $1::interval) AS calls,
	owed.mails + owed.calls AS owed,
	t.taken || '.' || t.events || '.' || owed.mails || '.' || owed.calls AS mark,
	coalesce(c.tries, 0) AS tries, coalesce(c.mark, '') AS seen, coalesce(c.found, '') AS was
	FROM tickets t LEFT JOIN ticket_checks c ON c.ticket = t.number CROSS JOIN LATERAL (SELECT
		(SELECT count(*) FROM deliveries m WHERE m.ticket = t.number AND m.queue = 'ticket' AND m.status = 'owed') AS mails,
		(SELECT count(*) FROM deliveries m WHERE m.ticket = t.number AND m.queue = 'webhook' AND m.status = 'owed') AS calls) owed`

// checkDue leaves out tickets whose next check was deferred. checkDueUnlessTrying, for due events and commands, ignores a
// deferral made because deliveries are being retried, which says nothing about a due event since. Each is followed by the
// column of the ticket's number.
const (
	checkDue             = `NOT EXISTS (SELECT FROM ticket_checks c WHERE c.next_at > statement_timestamp() AND c.ticket = `
	checkDueUnlessTrying = `NOT EXISTS (SELECT FROM ticket_checks c WHERE c.next_at > statement_timestamp() AND c.found <> 'trying' AND c.ticket = `
)

const overdueQuery = `WITH found AS (
	(SELECT number FROM tickets WHERE next_due < statement_timestamp() - $1::interval AND status <> 'closed'
		AND ` + checkDueUnlessTrying + `tickets.number) ORDER BY next_due, number LIMIT $2)
	UNION
	(SELECT u.ticket FROM undelivered u JOIN tickets ON number = u.ticket AND u.seq > taken
		WHERE u.delivered_at < statement_timestamp() - $1::interval AND ` + checkDueUnlessTrying + `u.ticket) ORDER BY u.delivered_at LIMIT $2)
	UNION
	(SELECT ticket FROM deliveries WHERE queue = 'ticket' AND ticket IS NOT NULL AND status = 'owed'
		AND owed_at < statement_timestamp() - $1::interval AND ` + checkDue + `deliveries.ticket) ORDER BY owed_at LIMIT $2)
	UNION
	(SELECT ticket FROM deliveries WHERE queue = 'webhook' AND ticket IS NOT NULL AND status = 'owed'
		AND owed_at < statement_timestamp() - $1::interval AND ` + checkDue + `deliveries.ticket) ORDER BY owed_at LIMIT $2))
	SELECT ` + overdueColumns + ` WHERE t.number IN (SELECT number FROM found)`

// Overdue returns about limit tickets, open or closed, on which a due event, a command or a delivery has been pending for
// longer than patience, and whose next check was not deferred by NoteFound. It reads indexes only as far as necessary, since
// during an outage of a mail server tens of thousands of tickets are deferred.
func (s *Store) Overdue(ctx context.Context, patience time.Duration, limit int) ([]desk.Overdue, error) {
	return s.overdue(ctx, overdueQuery, patience, limit)
}

// OverdueOf returns the same for those of some tickets that should have a running workflow, overdue or not.
func (s *Store) OverdueOf(ctx context.Context, patience time.Duration, some []ticket.Number) ([]desk.Overdue, error) {
	return s.overdue(ctx, `SELECT `+overdueColumns+` WHERE t.number = ANY ($2) AND (`+keptOpen+`
		OR EXISTS (SELECT FROM deliveries m WHERE m.ticket = t.number AND m.status = 'owed'))`, patience, some)
}

func (s *Store) overdue(ctx context.Context, sql string, args ...any) ([]desk.Overdue, error) {
	rows, _ := s.pool.Query(ctx, sql, args...)
	page, err := pgx.CollectRows(rows, pgx.RowToStructByName[desk.Overdue])
	return page, explain(err, "look for overdue tickets")
}

// keptOpen selects the open tickets t that should have a running workflow: all but those whose submission waits for the relay.
const keptOpen = `t.status <> 'closed' AND (t.taken > 0 OR
	(SELECT delivered_at FROM undelivered u WHERE u.ticket = t.number AND u.seq = 1 LIMIT 1) IS NOT NULL)`

const keptQuery = `
	(SELECT number FROM tickets t WHERE ` + keptOpen + ` AND number > $1 ORDER BY number LIMIT $2)
	UNION (SELECT DISTINCT ticket FROM deliveries WHERE status = 'owed' AND ticket > $1 ORDER BY ticket LIMIT $2)
	ORDER BY 1 LIMIT $2`

// Kept returns a page, ordered by number, of the tickets that should have a running workflow: open ones, and closed ones with
// unsent deliveries. It has at most limit, after a number.
func (s *Store) Kept(ctx context.Context, after ticket.Number, limit int) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, keptQuery, after, limit)
	page, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return page, explain(err, "list the tickets with workflows")
}

// CountKept returns the number of tickets that Kept lists in all.
func (s *Store) CountKept(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM (
		SELECT number FROM tickets t WHERE `+keptOpen+`
		UNION SELECT ticket FROM deliveries WHERE status = 'owed' AND ticket IS NOT NULL) kept`).Scan(&n)
	return n, explain(err, "count the tickets with workflows")
}

// NoteFound records what a check of a ticket found, and defers the next one.
func (s *Store) NoteFound(ctx context.Context, o desk.Overdue, found desk.LookResult, tries int, next time.Duration) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ticket_checks AS c (ticket, found, tries, mark, next_at) VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)
		ON CONFLICT (ticket) DO UPDATE SET found = $2, tries = $3, mark = $4, next_at = clock_timestamp() + $5::interval,
			since = CASE WHEN c.mark = $4 AND (c.found = 'trying') = ($2 = 'trying') THEN c.since ELSE clock_timestamp() END`,
		o.Number, found, tries, o.Mark, next)
	return explain(err, "note what was found of ticket %s", o.Number)
}

// PutOff defers the next check of a ticket after one that could not be completed. A ticket whose workflow was found missing
// still counts as missing.
func (s *Store) PutOff(ctx context.Context, o desk.Overdue, tries int, next time.Duration) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ticket_checks AS c (ticket, found, tries, mark, next_at) VALUES ($1, 'running', $2, $3, clock_timestamp() + $4::interval)
		ON CONFLICT (ticket) DO UPDATE SET found = CASE WHEN c.found = 'missing' THEN c.found ELSE 'running' END,
			tries = $2, mark = $3, next_at = clock_timestamp() + $4::interval,
			since = CASE WHEN c.mark = $3 THEN c.since ELSE clock_timestamp() END`,
		o.Number, tries, o.Mark, next)
	return explain(err, "put the next look at ticket %s off", o.Number)
}

// NoteMissing records that tickets were found without a running workflow, until NoteFound or Forget is called.
func (s *Store) NoteMissing(ctx context.Context, some []ticket.Number) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ticket_checks (ticket, found, tries, mark, next_at) SELECT n, 'missing', 0, '', '-infinity' FROM unnest($1::text[]) n
		ON CONFLICT (ticket) DO UPDATE SET found = 'missing', next_at = '-infinity'`, some)
	return explain(err, "note tickets without a workflow")
}

// Forget deletes what checks of a ticket found.
func (s *Store) Forget(ctx context.Context, n ticket.Number) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM ticket_checks WHERE ticket = $1`, n)
	return explain(err, "forget what was found of ticket %s", n)
}

// NoteRestarted counts a workflow that was started again.
func (s *Store) NoteRestarted(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE reconciler SET restarted = restarted + 1, restarted_at = clock_timestamp()`)
	return explain(err, "note a workflow started anew")
}

const forgetQuery = `
	DELETE FROM ticket_checks c USING tickets t WHERE t.number = c.ticket
		AND (c.found <> 'trying' OR c.next_at <= statement_timestamp())
		AND NOT (t.next_due < statement_timestamp() - $1::interval AND t.status <> 'closed')
		AND NOT EXISTS (SELECT FROM undelivered u WHERE u.ticket = t.number AND u.seq > t.taken AND u.delivered_at < statement_timestamp() - $1::interval)
		AND NOT EXISTS (SELECT FROM deliveries m WHERE m.ticket = t.number AND m.status = 'owed' AND m.owed_at < statement_timestamp() - $1::interval)`

// ForgetWell deletes what checks found of tickets on which nothing has been pending for longer than patience. Of tickets whose
// deliveries are being retried, which may be many, it considers only those whose next check is due.
func (s *Store) ForgetWell(ctx context.Context, patience time.Duration) error {
	_, err := s.pool.Exec(ctx, forgetQuery, patience)
	return explain(err, "forget the tickets that are well")
}
