package store

import (
	"context"
	"errors"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// seenBy returns the condition that a viewer may see a ticket: staff see all, and customers those of which they are the
// requester or a participant. Every statement that shows a ticket to customers, or accepts their commands, has this condition.
// table is the name or alias of tickets; staff and viewer are placeholders.
func seenBy(table, staff, viewer string) string {
	return `(` + staff + ` OR ` + table + `.requester = ` + viewer + `
		OR EXISTS (SELECT FROM participants p WHERE p.ticket = ` + table + `.number AND p.person = ` + viewer + `))`
}

// customer returns the customer whom a member of staff names by ID or address. With add, an address that is unknown so far
// becomes a contact. Its error is Invalid on field or on "name", Conflict if the person is disabled, and Forbidden to customers.
func (s *Store) customer(ctx context.Context, by desk.Person, w desk.Whom, field string, add bool) (p desk.Person, err error) {
	if !by.Role.Staff() {
		return p, ticket.ErrRole
	}
	address := strings.TrimSpace(w.Person)
	id := strings.ToUpper(address)
	switch {
	case w.Name != "" && !desk.ValidName(w.Name):
		return p, fault.Field("name", "must have 1 to 200 characters, in one line and all of them visible")
	case desk.ValidID(id):
		p, err = s.person(ctx, s.pool, `id = `+knownAs("$1")+` AND (disabled_at IS NULL OR NOT $2)`, id, add)
	case !desk.ValidAddress(address):
		return p, fault.Field(field, "must be an email address or the ID of a person")
	case s.checkAddress(field, address) != nil:
		return p, s.checkAddress(field, address)
	case add:
		p, err = s.EnsureContact(ctx, by.ID, w.Name, address)
	default:
		p, err = s.person(ctx, s.pool, `id = `+ownerOf("$1"), address)
	}
	switch {
	case errors.Is(err, errNoPerson):
		return p, fault.Field(field, "is not a person that is known here")
	case err == nil && p.Role != ticket.RoleCustomer && add:
		return p, fault.Field(field, "belongs to a member of staff; only customers can be in a ticket")
	}
	return p, err
}

// queueInvolved reads who is in a ticket: the requester, and the participants by name. Only staff get addresses.
func queueInvolved(batch *pgx.Batch, n ticket.Number, staff bool, into *[]desk.Involved) {
	batch.Queue(`
		SELECT p.id, p.role, p.name, coalesce(p.handle, '') AS handle, CASE WHEN $2 THEN p.address ELSE '' END AS address,
			p.claimed_at IS NULL AS contact, p.disabled_at IS NOT NULL AS disabled
		FROM tickets t JOIN people p ON p.id = ANY (t.requester || ARRAY(SELECT person FROM participants WHERE ticket = t.number))
		WHERE t.number = $1 ORDER BY p.id <> t.requester, lower(p.name), p.id`, n, staff).Query(func(rows pgx.Rows) (err error) {
		*into, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.Involved])
		return err
	})
}
