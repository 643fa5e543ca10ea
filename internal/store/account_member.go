package store

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Member returns a person by ID, disabled or not. It returns NotFound if there is none.
func (a *Accounts) Member(ctx context.Context, id ticket.PersonID) (m account.Member, err error) {
	var disabled *time.Time
	err = a.pool.QueryRow(ctx, `
		SELECT id, role, name, address, coalesce(handle, ''), created_at, disabled_at FROM people WHERE id = $1`, id).
		Scan(&m.ID, &m.Role, &m.Name, &m.Address, &m.Handle, &m.Since, &disabled)
	if errors.Is(err, pgx.ErrNoRows) {
		return m, errNobody
	}
	if disabled != nil {
		m.DisabledAt = *disabled
	}
	return m, explain(err, "read the account of %s", id)
}
