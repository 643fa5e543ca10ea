package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
)

// NoteLook records that a round of checks was completed.
func (s *Store) NoteLook(ctx context.Context) error {
	_, err := s.pool.Exec(ctx, `UPDATE reconciler SET looked_at = clock_timestamp()`)
	return explain(err, "note the reconciler's look")
}

// NoteAudit records how many tickets an audit has compared, and whether it has ended. The first call, with none, begins it.
func (s *Store) NoteAudit(ctx context.Context, audited int, ended bool) error {
	_, err := s.pool.Exec(ctx, `
		UPDATE reconciler SET audited = $1::bigint, audit_began = CASE WHEN $1::bigint = 0 AND NOT $2::bool THEN clock_timestamp() ELSE audit_began END,
			audit_ended = CASE WHEN $2::bool THEN clock_timestamp() END`, audited, ended)
	return explain(err, "note how far an audit is")
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
		Scan(nullable(&r.Looked), nullable(&r.AuditBegan), nullable(&r.AuditEnded), &r.Audited, &r.Restarted, nullable(&r.RestartedAt), &r.Missing, &r.Stuck, &r.OwedMissing, &r.Parked)
	return r, explain(err, "read how the workflows stand")
}

// StuckTickets returns the tickets that make no progress although their workflows run, the longest stuck first.
func (s *Store) StuckTickets(ctx context.Context) ([]desk.Stuck, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT ticket, since, tries FROM ticket_checks
		WHERE found IN ('running', 'restarted') AND tries >= $1 ORDER BY since, ticket`, desk.StuckAfter)
	stuck, err := pgx.CollectRows(rows, pgx.RowToStructByPos[desk.Stuck])
	return stuck, explain(err, "list the tickets that are stuck")
}
