package store

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Member returns a person by ID, disabled or not. It returns NotFound if there is none.
func (a *Accounts) Member(ctx context.Context, id ticket.PersonID) (m account.Member, err error) {
	err = a.pool.QueryRow(ctx, `
		SELECT id, role, name, address, coalesce(handle, ''), created_at, disabled_at FROM people WHERE id = $1`, id).
		Scan(&m.ID, &m.Role, &m.Name, &m.Address, &m.Handle, &m.Since, nullable(&m.DisabledAt))
	return m, explain(missing(err, errNobody), "read the account of %s", id)
}
