package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// address turns audiences into people, and leaves out who is disabled: supervisors are written to instead of somebody
// who no longer works here, and nobody instead of a customer. An event owes nobody two mails, however many audiences
// they are in.
func (l *locked) address(ctx context.Context) ([]ticket.Mail, error) {
	gone, err := l.disabled(ctx)
	if err != nil {
		return nil, err
	}
	type recipient struct {
		event  int
		person ticket.PersonID
	}
	seen := map[recipient]bool{}
	var owed []ticket.Mail
	for _, m := range l.mails {
		to, err := l.recipients(ctx, m, gone)
		if err != nil {
			return nil, err
		}
		for _, person := range to {
			if who := (recipient{m.Event, person}); !seen[who] {
				seen[who] = true
				m.Person, m.Audience = person, ""
				owed = append(owed, m)
			}
		}
	}
	return owed, nil
}

func (l *locked) recipients(ctx context.Context, m ticket.Mail, gone map[ticket.PersonID]ticket.Role) ([]ticket.PersonID, error) {
	if m.Audience != "" {
		return audience(ctx, l.tx, m.Audience)
	}
	switch role, out := gone[m.Person]; {
	case !out:
		return []ticket.PersonID{m.Person}, nil
	case role.Staff():
		return audience(ctx, l.tx, policy.TellSupervisors)
	default:
		return nil, nil
	}
}

// disabled gives those whom a mail names and who are shut out, with their roles.
func (l *locked) disabled(ctx context.Context) (map[ticket.PersonID]ticket.Role, error) {
	var named []ticket.PersonID
	for _, m := range l.mails {
		if m.Audience == "" {
			named = append(named, m.Person)
		}
	}
	if len(named) == 0 {
		return nil, nil
	}
	rows, err := l.tx.Query(ctx, `SELECT id, role FROM people WHERE id = ANY ($1) AND disabled_at IS NOT NULL`, named)
	if err != nil {
		return nil, err
	}
	gone := map[ticket.PersonID]ticket.Role{}
	var person ticket.PersonID
	var role ticket.Role
	_, err = pgx.ForEachRow(rows, []any{&person, &role}, func() error {
		gone[person] = role
		return nil
	})
	return gone, err
}

// audience lists its people who are not disabled, always in the same order. That they are no customers is said for
// the sake of the index: a desk has many customers and few staff.
func audience(ctx context.Context, q querier, a policy.Audience) ([]ticket.PersonID, error) {
	role := ticket.RoleSupervisor
	if a == policy.TellAdministrators {
		role = ticket.RoleAdministrator
	}
	rows, err := q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND role <> 'customer' AND disabled_at IS NULL ORDER BY id`, role)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}
