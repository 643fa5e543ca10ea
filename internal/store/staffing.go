package store

import (
	"context"
	_ "embed"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// absenceColumns selects when the absence of a person p began and when it ends. Both are null for a person who is
// present; only the end is null for one whose absence has no planned end.
const absenceColumns = `CASE WHEN p.away_until > clock_timestamp() THEN p.away_since END,
	CASE WHEN p.away_until > clock_timestamp() THEN nullif(p.away_until, 'infinity') END`

// MarkAway marks a person as away until an instant; zero means until MarkBack is called. It returns false if until has
// passed. The start of an absence that is already running is kept.
func (s *Store) MarkAway(ctx context.Context, person ticket.PersonID, until time.Time) (c desk.Colleague, marked bool, err error) {
	var end any = "infinity"
	if !until.IsZero() {
		end = until.UTC()
	}
	c, err = s.oneColleague(ctx, `UPDATE people p SET away_until = $2::timestamptz,
		away_since = CASE WHEN away_until > clock_timestamp() THEN away_since ELSE clock_timestamp() END
		WHERE id = $1 AND $2::timestamptz > clock_timestamp() RETURNING `+colleagueColumns, person, end)
	marked, err = found(err)
	return c, marked, explain(err, "mark a person as away")
}

// MarkBack ends a person's absence.
func (s *Store) MarkBack(ctx context.Context, person ticket.PersonID) (desk.Colleague, error) {
	c, err := s.oneColleague(ctx, `UPDATE people p SET away_since = NULL, away_until = NULL WHERE id = $1 RETURNING `+colleagueColumns, person)
	return c, explain(err, "mark a person as back")
}

// colleagueColumns selects from people p what scanColleague scans.
const colleagueColumns = `p.id, p.name, p.handle, p.role,
	(SELECT count(*) FROM tickets WHERE assignee = p.id AND status IN ('new', 'open', 'waiting')), ` + absenceColumns

func scanColleague(row pgx.CollectableRow) (c desk.Colleague, err error) {
	return c, row.Scan(&c.ID, &c.Name, &c.Handle, &c.Role, &c.Load, nullable(&c.Away.Since), nullable(&c.Away.Until))
}

// Colleague returns a member of staff who is not disabled, by handle or ID. It returns NotFound otherwise.
func (s *Store) Colleague(ctx context.Context, handleOrID string) (desk.Colleague, error) {
	c, err := s.oneColleague(ctx, `SELECT `+colleagueColumns+` FROM people p
		WHERE p.role <> 'customer' AND p.disabled_at IS NULL AND (p.id = $1 OR lower(p.handle) = lower($1))`, handleOrID)
	return c, explain(missing(err, errNoPerson), "look for a colleague")
}

func (s *Store) oneColleague(ctx context.Context, statement string, args ...any) (desk.Colleague, error) {
	rows, _ := s.pool.Query(ctx, statement, args...)
	return pgx.CollectExactlyOneRow(rows, scanColleague)
}

var (
	errNoGroup    = fault.New(fault.NotFound, "there is no such group")
	errNoMember   = fault.New(fault.NotFound, "there is no such member of it")
	errGroupTaken = fault.NewConflict("handle-taken", "there is a group with that handle already")
)

// GroupMembers returns the groups by title, each with its members.
func (s *Store) GroupMembers(ctx context.Context) ([]app.GroupMembers, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT g.handle, g.title, array(SELECT person FROM group_members WHERE group_handle = g.handle)
		FROM agent_groups g ORDER BY lower(g.title), g.handle`)
	groups, err := pgx.CollectRows(rows, pgx.RowToStructByPos[app.GroupMembers])
	return groups, explain(err, "list the groups")
}

// AddGroup stores a group without members. It returns Conflict if the handle is taken.
func (s *Store) AddGroup(ctx context.Context, by ticket.PersonID, handle, title string) error {
	made := account.Event{Kind: account.EventGroupCreated, Actor: by, Detail: handle + ": " + title}
	err := s.changeGroup(ctx, made, `INSERT INTO agent_groups (handle, title) VALUES ($1, $2) RETURNING ''`, handle, title)
	if violates(err, "agent_groups_pkey") {
		return errGroupTaken
	}
	return err
}

// SetGroupTitle changes a group's title. It returns NotFound if there is no such group.
func (s *Store) SetGroupTitle(ctx context.Context, by ticket.PersonID, handle, title string) error {
	renamed := account.Event{Kind: account.EventGroupRenamed, Actor: by, Detail: handle + ": " + title}
	return s.changeGroup(ctx, renamed, `UPDATE agent_groups SET title = $2 WHERE handle = $1 RETURNING ''`, handle, title)
}

// RemoveGroup deletes a group. It returns NotFound if there is none.
func (s *Store) RemoveGroup(ctx context.Context, by ticket.PersonID, handle string) error {
	deleted := account.Event{Kind: account.EventGroupDeleted, Actor: by, Detail: handle}
	return s.changeGroup(ctx, deleted, `DELETE FROM agent_groups WHERE handle = $1 RETURNING ''`, handle)
}

// AddMember adds a person to a group, if they are not a member yet. It returns NotFound if there is no such group.
func (s *Store) AddMember(ctx context.Context, by ticket.PersonID, group string, person ticket.PersonID) error {
	return s.changeGroup(ctx, account.Event{Kind: account.EventGroupJoined, Actor: by, Detail: group}, `
		INSERT INTO group_members (group_handle, person) SELECT handle, $2 FROM agent_groups WHERE handle = $1
		ON CONFLICT ON CONSTRAINT group_members_pkey DO UPDATE SET person = excluded.person RETURNING person`, group, person)
}

// RemoveMember removes a member, by ID or handle, from a group. It returns NotFound if the person is not a member.
func (s *Store) RemoveMember(ctx context.Context, by ticket.PersonID, group, handleOrID string) error {
	err := s.changeGroup(ctx, account.Event{Kind: account.EventGroupLeft, Actor: by, Detail: group}, `
		DELETE FROM group_members m USING people p
		WHERE m.group_handle = $1 AND p.id = m.person AND (p.id = $2 OR lower(p.handle) = lower($2)) RETURNING m.person`, group, handleOrID)
	if errors.Is(err, errNoGroup) {
		return errNoMember
	}
	return err
}

// changeGroup runs a statement about a group, which returns the person concerned or an empty string, and records e. It
// returns NotFound if the statement changed nothing.
func (s *Store) changeGroup(ctx context.Context, e account.Event, statement string, args ...any) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, statement, args...).Scan(&e.Person)
		if err != nil {
			return missing(err, errNoGroup)
		}
		return record(ctx, tx, e)
	})
	return explain(err, "change the group %q", args[0])
}

//go:embed presence.sql
var presenceSQL string

// RecordPresence records that a person has a ticket open, and whether they are writing. Subscribers are notified if that
// changes what they know: the person was not there before, started or stopped writing, or someone else's presence has expired.
// It returns NotFound if there is no such ticket.
func (s *Store) RecordPresence(ctx context.Context, by ticket.PersonID, n ticket.Number, writing bool) error {
	var there bool
	err := s.pool.QueryRow(ctx, presenceSQL, pgx.StrictNamedArgs{
		"number": n, "person": by, "writing": writing, "lasts": desk.PresenceLasts, "channel": changeChannel,
	}).Scan(&there, nil)
	if err == nil && !there {
		return errNoTicket
	}
	return explain(err, "record who has %s open", n)
}

// EndPresence records that a person no longer has a ticket open.
func (s *Store) EndPresence(ctx context.Context, by desk.Person, n ticket.Number) error {
	_, err := s.pool.Exec(ctx, `
		WITH gone AS (DELETE FROM presences WHERE ticket = $1 AND person = $2 RETURNING ticket)
		SELECT pg_notify($3, ticket || ':presence') FROM gone`, n, by.ID, changeChannel)
	return explain(err, "record who no longer has %s open", n)
}

// Presences returns the people who have a ticket open, longest first: those seen within desk.PresenceLasts.
func (s *Store) Presences(ctx context.Context, n ticket.Number) ([]desk.Presence, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT p.id, p.name, p.handle, p.role, l.writing, l.since, l.seen_at
		FROM presences l JOIN people p ON p.id = l.person
		WHERE l.ticket = $1 AND l.seen_at > clock_timestamp() - $2::interval AND p.disabled_at IS NULL
		ORDER BY l.since, p.id`, n, desk.PresenceLasts)
	present, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (p desk.Presence, err error) {
		return p, row.Scan(&p.Person.ID, &p.Person.Name, &p.Person.Handle, &p.Person.Role, &p.Writing, &p.Since, &p.Seen)
	})
	return present, explain(err, "list who has %s open", n)
}
