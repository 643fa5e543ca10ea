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
// longer than patience, and whose next check was not deferred by RecordCheck. It reads indexes only as far as necessary, since
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

// TicketsWithWorkflow returns a page, ordered by number, of the tickets that should have a running workflow: open ones, and
// closed ones with unsent deliveries. It has at most limit, after a number.
func (s *Store) TicketsWithWorkflow(ctx context.Context, after ticket.Number, limit int) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, keptQuery, after, limit)
	page, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return page, explain(err, "list the tickets with workflows")
}

// WithoutWorkflow returns those of some tickets that need no workflow: closed ones without unsent deliveries.
func (s *Store) WithoutWorkflow(ctx context.Context, some []ticket.Number) ([]ticket.Number, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT number FROM tickets t WHERE number = ANY ($1) AND status = 'closed'
			AND NOT EXISTS (SELECT FROM deliveries m WHERE m.ticket = t.number AND m.status = 'owed') ORDER BY number`, some)
	settled, err := pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
	return settled, explain(err, "list the tickets without workflows")
}

// CountTicketsWithWorkflow returns the number of tickets that TicketsWithWorkflow lists in all.
func (s *Store) CountTicketsWithWorkflow(ctx context.Context) (n int, err error) {
	err = s.pool.QueryRow(ctx, `SELECT count(*) FROM (
		SELECT number FROM tickets t WHERE `+keptOpen+`
		UNION SELECT ticket FROM deliveries WHERE status = 'owed' AND ticket IS NOT NULL) kept`).Scan(&n)
	return n, explain(err, "count the tickets with workflows")
}

// RecordCheck records what a check of a ticket found, and defers the next one.
func (s *Store) RecordCheck(ctx context.Context, o desk.Overdue, found desk.CheckResult, tries int, next time.Duration) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ticket_checks AS c (ticket, found, tries, mark, next_at) VALUES ($1, $2, $3, $4, clock_timestamp() + $5::interval)
		ON CONFLICT (ticket) DO UPDATE SET found = $2, tries = $3, mark = $4, next_at = clock_timestamp() + $5::interval,
			since = CASE WHEN c.mark = $4 AND (c.found = 'trying') = ($2 = 'trying') THEN c.since ELSE clock_timestamp() END`,
		o.Number, found, tries, o.Mark, next)
	return explain(err, "record the check of ticket %s", o.Number)
}

// Postpone defers the next check of a ticket after one that could not be completed. A ticket whose workflow was found missing
// still counts as missing.
func (s *Store) Postpone(ctx context.Context, o desk.Overdue, tries int, next time.Duration) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ticket_checks AS c (ticket, found, tries, mark, next_at) VALUES ($1, 'running', $2, $3, clock_timestamp() + $4::interval)
		ON CONFLICT (ticket) DO UPDATE SET found = CASE WHEN c.found = 'missing' THEN c.found ELSE 'running' END,
			tries = $2, mark = $3, next_at = clock_timestamp() + $4::interval,
			since = CASE WHEN c.mark = $3 THEN c.since ELSE clock_timestamp() END`,
		o.Number, tries, o.Mark, next)
	return explain(err, "postpone the next check of ticket %s", o.Number)
}

// RecordMissing records that tickets were found without a running workflow, until RecordCheck or DeleteCheck is called.
func (s *Store) RecordMissing(ctx context.Context, some []ticket.Number) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO ticket_checks (ticket, found, tries, mark, next_at) SELECT n, 'missing', 0, '', '-infinity' FROM unnest($1::text[]) n
		ON CONFLICT (ticket) DO UPDATE SET found = 'missing', next_at = '-infinity'`, some)
	return explain(err, "record tickets without a workflow")
}

// DeleteCheck deletes what checks of a ticket found.
func (s *Store) DeleteCheck(ctx context.Context, n ticket.Number) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM ticket_checks WHERE ticket = $1`, n)
	return explain(err, "delete the check of ticket %s", n)
}

// RecordRestarted counts a workflow that was started again.
func (s *Store) RecordRestarted(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE reconciler SET restarted = restarted + 1, restarted_at = clock_timestamp()`)
	return explain(err, "count a restarted workflow")
}

const healthyQuery = `
	DELETE FROM ticket_checks c USING tickets t WHERE t.number = c.ticket
		AND (c.found <> 'trying' OR c.next_at <= statement_timestamp())
		AND NOT (t.next_due < statement_timestamp() - $1::interval AND t.status <> 'closed')
		AND NOT EXISTS (SELECT FROM undelivered u WHERE u.ticket = t.number AND u.seq > t.taken AND u.delivered_at < statement_timestamp() - $1::interval)
		AND NOT EXISTS (SELECT FROM deliveries m WHERE m.ticket = t.number AND m.status = 'owed' AND m.owed_at < statement_timestamp() - $1::interval)`

// DeleteHealthyChecks deletes what checks found of tickets on which nothing has been pending for longer than patience. Of
// tickets whose deliveries are being retried, which may be many, it considers only those whose next check is due.
func (s *Store) DeleteHealthyChecks(ctx context.Context, patience time.Duration) error {
	_, err := s.pool.Exec(ctx, healthyQuery, patience)
	return explain(err, "delete the checks of healthy tickets")
}

// RecordRound records that a round of checks was completed.
func (s *Store) RecordRound(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE reconciler SET looked_at = clock_timestamp()`)
	return explain(err, "record a round of checks")
}

// RecordAudit records how many tickets an audit has compared, and whether it has ended. The first call, with none, begins it.
func (s *Store) RecordAudit(ctx context.Context, audited int, ended bool) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE reconciler SET audited = $1::bigint, audit_began = CASE WHEN $1::bigint = 0 AND NOT $2::bool THEN clock_timestamp() ELSE audit_began END,
			audit_ended = CASE WHEN $2::bool THEN clock_timestamp() END`, audited, ended)
	return explain(err, "record the progress of an audit")
}

// Reconciliation returns the reconciler's status.
func (s *Store) Reconciliation(ctx context.Context) (desk.Reconciliation, error) {
	var r desk.Reconciliation
	err := s.pool.QueryRow(ctx, `
		SELECT looked_at, audit_began, audit_ended, audited, restarted, restarted_at, c.missing, c.stuck, c.owed,
			(SELECT count(*) FROM parked_steps)
		FROM reconciler, (
			SELECT count(*) FILTER (WHERE found = 'missing') AS missing,
				count(*) FILTER (WHERE found IN ('running', 'restarted') AND tries >= $1) AS stuck,
				count(*) FILTER (WHERE found = 'missing' AND (
					EXISTS (SELECT FROM deliveries m WHERE m.ticket = k.ticket AND m.status = 'owed'))) AS owed
			FROM ticket_checks k) c`, desk.StuckAfter).
		Scan(nullable(&r.CheckedAt), nullable(&r.AuditBegan), nullable(&r.AuditEnded), &r.Audited, &r.Restarted, nullable(&r.RestartedAt), &r.Missing, &r.Stuck, &r.OwedMissing, &r.Parked)
	return r, explain(err, "read the state of the workflows")
}

// StuckTickets returns the tickets that make no progress although their workflows run, the longest stuck first.
func (s *Store) StuckTickets(ctx context.Context) ([]desk.Stuck, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT ticket, since, tries FROM ticket_checks
		WHERE found IN ('running', 'restarted') AND tries >= $1 ORDER BY since, ticket`, desk.StuckAfter)
	stuck, err := pgx.CollectRows(rows, pgx.RowToStructByPos[desk.Stuck])
	return stuck, explain(err, "list the tickets that are stuck")
}

// Lease takes or renews the lease with a name, and reports whether the holder has it. It does not while another holder's
// lease has not expired.
func (s *Store) Lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error) {
	var ours bool
	err := s.pool.QueryRow(ctx, `
		INSERT INTO leases AS l (name, holder, until) VALUES ($1, $2, clock_timestamp() + $3::interval)
		ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until
			WHERE l.holder = excluded.holder OR l.until < clock_timestamp()
		RETURNING true`, name, holder, lasts).Scan(&ours)
	return ours, explain(missing(err, nil), "take the lease %s", name)
}

// EndLease ends a lease, if the holder still has it, so that another process can take it at once.
func (s *Store) EndLease(ctx context.Context, name, holder string) error {
	_, err := s.pool.Exec(ctx, `DELETE FROM leases WHERE name = $1 AND holder = $2`, name, holder)
	return explain(err, "end the lease %s", name)
}
