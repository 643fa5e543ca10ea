package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// address turns audiences into people. An event owes nobody two mails, however many audiences they are in.
func (l *locked) address(ctx context.Context) ([]ticket.Mail, error) {
	type recipient struct {
		event  int
		person ticket.PersonID
	}
	seen := map[recipient]bool{}
	var owed []ticket.Mail
	for _, m := range l.mails {
		to := []ticket.PersonID{m.Person}
		if m.Audience != "" {
			var err error
			if to, err = audience(ctx, l.tx, m.Audience); err != nil {
				return nil, err
			}
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

// audience lists its people who are not disabled, always in the same order.
func audience(ctx context.Context, q querier, a policy.Audience) ([]ticket.PersonID, error) {
	role := ticket.RoleSupervisor
	if a == policy.TellAdministrators {
		role = ticket.RoleAdministrator
	}
	rows, err := q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND disabled_at IS NULL ORDER BY id`, role)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}
