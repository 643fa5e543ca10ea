package store

import (
	"context"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	errNoPerson     = fault.New(fault.NotFound, "there is no such person")
	errAddressTaken = fault.NewConflict("address-taken", "someone already has that address")
	errHandleTaken  = fault.NewConflict("handle-taken", "someone already has that handle")
)

// AddPerson adds a person and assigns an ID, and a neutral handle to staff who have none. It returns Conflict if the
// address (in any case) or the handle is taken.
func (s *Store) AddPerson(ctx context.Context, p desk.Person) (desk.Person, error) {
	if err := s.checkAddress("address", p.Address); err != nil {
		return desk.Person{}, err
	}
	err := s.within(ctx, func(tx pgx.Tx) (err error) {
		if p, err = addPerson(ctx, tx, p); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventPersonAdded, Person: p.ID, Detail: "as " + string(p.Role)})
	})
	if err != nil {
		return desk.Person{}, explain(err, "add a person")
	}
	return p, nil
}

func addPerson(ctx context.Context, q querier, p desk.Person) (desk.Person, error) {
	p.ID = ticket.NewPersonID()
	if p.Role.Staff() && p.Handle == "" {
		p.Handle = generatedHandle(p.ID)
	}
	if err := p.Check(); err != nil {
		return desk.Person{}, err
	}
	// Without ON CONFLICT, a violation would write the address to the server's log.
	tag, err := q.Exec(ctx, `
		INSERT INTO people (id, role, name, address, handle)
		SELECT @id, @role, @name, @address, nullif(@handle, '') WHERE `+ownerOf("@address")+` IS NULL
		ON CONFLICT DO NOTHING`,
		pgx.StrictNamedArgs{"id": p.ID, "role": p.Role, "name": p.Name, "address": p.Address, "handle": p.Handle})
	if err != nil {
		return desk.Person{}, explain(err, "add a person")
	}
	if tag.RowsAffected() == 1 {
		return p, nil
	}
	var address bool
	if err := q.QueryRow(ctx, `SELECT `+ownerOf("$1")+` IS NOT NULL`, p.Address).Scan(&address); err != nil {
		return desk.Person{}, explain(err, "add a person")
	}
	if address {
		return desk.Person{}, errAddressTaken
	}
	return desk.Person{}, errHandleTaken
}

// generatedHandle returns a handle that is derived from the ID and reveals nothing about the person.
func generatedHandle(id ticket.PersonID) string {
	return "agent-" + strings.ToLower(strings.TrimPrefix(string(id), "P-"))
}

// uniqueConflict explains an error of a statement that sets a person's address or handle: a Conflict if it is taken.
func uniqueConflict(err error, doing string) error {
	switch {
	case violates(err, "people_address") || violates(err, "person_addresses_address"):
		return errAddressTaken
	case violates(err, "people_handle"):
		return errHandleTaken
	}
	return explain(err, doing)
}

// People returns all people who are not disabled, by role, then by address.
func (s *Store) People(ctx context.Context) ([]desk.Person, error) {
	rows, _ := s.pool.Query(ctx, `SELECT id, role, name, address, coalesce(handle, '') AS handle FROM people
		WHERE disabled_at IS NULL ORDER BY role, lower(address)`)
	people, err := pgx.CollectRows(rows, pgx.RowToStructByName[desk.Person])
	return people, explain(err, "list the people")
}

const staffQuery = `SELECT ` + colleagueColumns + ` FROM people p WHERE p.role <> 'customer' AND p.disabled_at IS NULL ORDER BY lower(p.name), p.id`

// Staff returns all staff who are not disabled, by name, each with their load.
func (s *Store) Staff(ctx context.Context) ([]desk.Colleague, error) {
	rows, _ := s.pool.Query(ctx, staffQuery)
	staff, err := pgx.CollectRows(rows, scanColleague)
	return staff, explain(err, "list the staff")
}

// DisablePerson disables an account: its sessions, links and tokens end, and no tickets can be assigned to it. Its
// history is kept.
func (s *Store) DisablePerson(ctx context.Context, id ticket.PersonID) error {
	return s.Accounts().Disable(ctx, "", id)
}

// PersonByHandleOrAddress returns the person who is not disabled and has a handle or an address, in any case. It
// returns NotFound otherwise.
func (s *Store) PersonByHandleOrAddress(ctx context.Context, typed string) (desk.Person, error) {
	return s.person(ctx, s.pool, `disabled_at IS NULL AND (lower(handle) = lower($1) OR id = `+ownerOf("$1")+`)`, typed)
}

// staff returns a member of staff who is not disabled, by handle or ID.
func (s *Store) staff(ctx context.Context, q querier, handleOrID string) (desk.Person, error) {
	return s.person(ctx, q, `disabled_at IS NULL AND role <> 'customer' AND (id = $1 OR lower(handle) = lower($1))`, handleOrID)
}

// person returns the person that a condition selects. One at most has a given handle or address, since an address can't
// be a handle.
func (s *Store) person(ctx context.Context, q querier, condition string, args ...any) (desk.Person, error) {
	rows, _ := q.Query(ctx,
		`SELECT id, role, name, address, coalesce(handle, '') AS handle FROM people WHERE `+condition, args...)
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[desk.Person])
	return p, explain(missing(err, errNoPerson), "look for a person")
}
