package store

import (
	"cmp"
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// recipients reads whom mails can go to.
type recipients struct{ q querier }

// Disabled implements app.StepTx.
func (r recipients) Disabled(ctx context.Context, some []ticket.PersonID) (map[ticket.PersonID]app.Disabled, error) {
	rows, err := r.q.Query(ctx, `SELECT id, role, coalesce(handle, '') FROM people WHERE id = ANY ($1) AND disabled_at IS NOT NULL`, some)
	if err != nil {
		return nil, err
	}
	disabled := map[ticket.PersonID]app.Disabled{}
	var person ticket.PersonID
	var who app.Disabled
	_, err = pgx.ForEachRow(rows, []any{&person, &who.Role, &who.Handle}, func() error {
		disabled[person] = who
		return nil
	})
	return disabled, err
}

// Audience implements app.StepTx. That its people are no customers is said for the sake of the index: a desk has many
// customers and few staff.
func (r recipients) Audience(ctx context.Context, a policy.Audience) ([]ticket.PersonID, error) {
	role := cmp.Or(map[policy.Audience]ticket.Role{policy.TellAdministrators: ticket.RoleAdministrator}[a], ticket.RoleSupervisor)
	rows, err := r.q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND role <> 'customer' AND disabled_at IS NULL ORDER BY id`, role)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}

// StaffByHandle implements app.StepTx.
func (r recipients) StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error) {
	rows, err := r.q.Query(ctx, `SELECT id, lower(handle) FROM people
		WHERE lower(handle) IN (SELECT lower(named) FROM unnest($1::text[]) named) AND role <> 'customer' AND disabled_at IS NULL`, handles)
	if err != nil {
		return nil, err
	}
	people := map[string]ticket.PersonID{}
	var person ticket.PersonID
	var handle string
	_, err = pgx.ForEachRow(rows, []any{&person, &handle}, func() error {
		people[handle] = person
		return nil
	})
	return people, err
}
