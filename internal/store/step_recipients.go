package store

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// recipients reads the people whom mails can go to.
type recipients struct{ q querier }

// Disabled implements app.StepTx.
func (r recipients) Disabled(ctx context.Context, some []ticket.PersonID) (map[ticket.PersonID]app.Disabled, error) {
	rows, _ := r.q.Query(ctx, `SELECT id, role, coalesce(handle, '') FROM people WHERE id = ANY ($1) AND disabled_at IS NOT NULL`, some)
	disabled := map[ticket.PersonID]app.Disabled{}
	var person ticket.PersonID
	var who app.Disabled
	_, err := pgx.ForEachRow(rows, []any{&person, &who.Role, &who.Handle}, func() error {
		disabled[person] = who
		return nil
	})
	return disabled, err
}

// Audience implements app.StepTx. The condition on customers is redundant, and lets the query use the index of staff,
// who are few.
func (r recipients) Audience(ctx context.Context, a policy.Audience) ([]ticket.PersonID, error) {
	role := cmp.Or(map[policy.Audience]ticket.Role{policy.NotifyAdministrators: ticket.RoleAdministrator}[a], ticket.RoleSupervisor)
	rows, _ := r.q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND role <> 'customer' AND disabled_at IS NULL ORDER BY id`, role)
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}

// StaffByHandle implements app.StepTx. The map's keys are handles in lower case.
func (r recipients) StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error) {
	rows, _ := r.q.Query(ctx, `SELECT id, lower(handle) FROM people
		WHERE lower(handle) IN (SELECT lower(named) FROM unnest($1::text[]) named) AND role <> 'customer' AND disabled_at IS NULL`, handles)
	people := map[string]ticket.PersonID{}
	var person ticket.PersonID
	var handle string
	_, err := pgx.ForEachRow(rows, []any{&person, &handle}, func() error {
		people[handle] = person
		return nil
	})
	return people, err
}

// assignmentLock is the advisory lock that a step holds from reading a roster to its end, so that no two steps assign by
// the same turn or load. There is one for all groups, since people are in several and a step may assign more than once.
// It is the last lock that a step takes.
const assignmentLock = 0x63686f696365 // "choice"

const takeAssignmentLock = `SELECT pg_advisory_xact_lock($1)`

// Roster implements app.StepTx. The lock is taken in a statement of its own, so that the next one sees what the previous
// holder has written.
func (st *stepTx) Roster(ctx context.Context, group string) ([]ticket.Candidate, error) {
	if _, err := st.tx.Exec(ctx, takeAssignmentLock, int64(assignmentLock)); err != nil {
		return nil, err
	}
	return roster(ctx, st.tx, group)
}

// roster returns the members of a group who are available, by ID.
func roster(ctx context.Context, q querier, group string) ([]ticket.Candidate, error) {
	rows, _ := q.Query(ctx, `
		SELECT p.id, p.handle, (SELECT count(*) FROM tickets WHERE assignee = p.id AND status IN ('new', 'open', 'waiting')) AS load,
			coalesce(t.turn, 0) AS turn
		FROM people p LEFT JOIN group_turns t ON t.group_handle = @group AND t.person = p.id
		WHERE p.role <> 'customer' AND p.disabled_at IS NULL
			AND (p.away_until IS NULL OR p.away_until <= clock_timestamp())
			AND CASE WHEN @group = @everyone THEN p.role = 'agent'
				ELSE EXISTS (SELECT FROM group_members m WHERE m.group_handle = @group AND m.person = p.id) END
		ORDER BY p.id`, pgx.StrictNamedArgs{"group": group, "everyone": policy.Everyone})
	return pgx.CollectRows(rows, pgx.RowToStructByName[ticket.Candidate])
}
