package store

import (
	"context"
	"errors"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxName is in characters; RFC 5321 allows an address 254 bytes.
const (
	maxName    = 200
	maxAddress = 254
)

var (
	handleShape = regexp.MustCompile(`^[A-Za-z0-9-]{1,40}$`)
	idShape     = regexp.MustCompile(`^P-[0-9A-HJKMNP-TV-Z]{10}$`)
	errNobody   = fault.New(fault.NotFound, "there is no such person")
)

// AddPerson takes somebody in and gives them an ID; staff without a handle get one that says nothing about them. An
// address (in any case) or a handle that somebody has is a Conflict.
func (s *Store) AddPerson(ctx context.Context, p desk.Person) (desk.Person, error) {
	p.ID = ticket.NewPersonID()
	if p.Role.Staff() && p.Handle == "" {
		p.Handle = "agent-" + strings.ToLower(strings.TrimPrefix(string(p.ID), "P-"))
	}
	if err := checkPerson(p); err != nil {
		return desk.Person{}, err
	}
	_, err := s.pool.Exec(ctx, `
		INSERT INTO people (id, role, name, address, handle) VALUES (@id, @role, @name, @address, nullif(@handle, ''))`,
		pgx.StrictNamedArgs{"id": p.ID, "role": p.Role, "name": p.Name, "address": p.Address, "handle": p.Handle})
	switch {
	case violates(err, "people_address"):
		return desk.Person{}, fault.Refusal("address-taken", "somebody has that address already")
	case violates(err, "people_handle"):
		return desk.Person{}, fault.Refusal("handle-taken", "somebody has that handle already")
	case err != nil:
		return desk.Person{}, explain(err, "add a person")
	}
	return p, nil
}

// unspeakable is what has no place in a name: control characters, and those that change the order of others.
func unspeakable(r rune) bool {
	return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp, unicode.Bidi_Control) || r == utf8.RuneError
}

func checkPerson(p desk.Person) error {
	var wrong []fault.Detail
	complain := func(field, message string) { wrong = append(wrong, fault.Detail{Field: field, Message: message}) }
	if !slices.Contains(ticket.Roles(), p.Role) {
		complain("role", "must be customer, agent, supervisor or administrator")
	}
	if strings.TrimSpace(p.Name) == "" || utf8.RuneCountInString(p.Name) > maxName || strings.ContainsFunc(p.Name, unspeakable) {
		complain("name", "must have 1 to 200 characters, in one line and all of them visible")
	}
	if a, err := mail.ParseAddress(p.Address); err != nil || a.Address != p.Address || len(p.Address) > maxAddress {
		complain("address", "must be an e-mail address")
	}
	switch {
	case p.Role == ticket.RoleCustomer && p.Handle != "":
		complain("handle", "is for staff only")
	case p.Role.Staff() && (!handleShape.MatchString(p.Handle) || idShape.MatchString(strings.ToUpper(p.Handle))):
		complain("handle", "must be 1 to 40 letters, digits and hyphens, and not look like a person's ID")
	}
	if len(wrong) > 0 {
		return fault.Fields(wrong...)
	}
	return nil
}

// People lists everybody who is not disabled: by role, then by address.
func (s *Store) People(ctx context.Context) ([]desk.Person, error) {
	rows, err := s.pool.Query(ctx, `SELECT id, role, name, address, coalesce(handle, '') AS handle FROM people
		WHERE disabled_at IS NULL ORDER BY role, lower(address)`)
	if err != nil {
		return nil, explain(err, "list the people")
	}
	people, err := pgx.CollectRows(rows, pgx.RowToStructByName[desk.Person])
	return people, explain(err, "list the people")
}

// DisablePerson shuts somebody out: their tokens stop working and they can't be assigned. What they did stays.
func (s *Store) DisablePerson(ctx context.Context, id ticket.PersonID) error {
	tag, err := s.pool.Exec(ctx,
		`UPDATE people SET disabled_at = coalesce(disabled_at, clock_timestamp()) WHERE id = $1`, id)
	if err == nil && tag.RowsAffected() == 0 {
		return errNobody
	}
	return explain(err, "disable %s", id)
}

// PersonByHandleOrAddress finds somebody who is not disabled, by either in any case. It is NotFound otherwise.
func (s *Store) PersonByHandleOrAddress(ctx context.Context, typed string) (desk.Person, error) {
	return s.person(ctx, s.pool, `disabled_at IS NULL AND (lower(handle) = lower($1) OR lower(address) = lower($1))`, typed)
}

// staff finds somebody enabled who works here, by handle or ID.
func (s *Store) staff(ctx context.Context, q querier, handleOrID string) (desk.Person, error) {
	return s.person(ctx, q, `disabled_at IS NULL AND role <> 'customer' AND (id = $1 OR lower(handle) = lower($1))`, handleOrID)
}

// person finds one by a condition on its only parameter. An address can't be a handle, so there is one at most.
func (s *Store) person(ctx context.Context, q querier, condition, arg string) (desk.Person, error) {
	rows, err := q.Query(ctx,
		`SELECT id, role, name, address, coalesce(handle, '') AS handle FROM people WHERE `+condition, arg)
	if err != nil {
		return desk.Person{}, explain(err, "look for a person")
	}
	p, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByName[desk.Person])
	if errors.Is(err, pgx.ErrNoRows) {
		return desk.Person{}, errNobody
	}
	return p, explain(err, "look for a person")
}
