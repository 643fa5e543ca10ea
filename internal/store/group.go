package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	errNoGroup    = fault.New(fault.NotFound, "there is no such group")
	errNoMember   = fault.New(fault.NotFound, "there is no such member of it")
	errGroupTaken = fault.Refusal("handle-taken", "there is a group with that handle already")
	errFixed      = fault.Refusal("group-fixed", "everyone is all agents: it can't be changed")
)

// Groups lists the groups with their members: everyone first, the others by title. It is Forbidden to all but
// supervisors and administrators.
func (s *Store) Groups(ctx context.Context, by desk.Person) ([]desk.Group, error) {
	if !by.Role.Commands() {
		return nil, errRole
	}
	staff, err := s.Staff(ctx)
	if err != nil {
		return nil, err
	}
	everyone := desk.Group{Handle: policy.Everyone, Title: "All agents", Fixed: true}
	for _, c := range staff {
		if c.Role == ticket.RoleAgent {
			everyone.Members = append(everyone.Members, c)
		}
	}
	rows, err := s.pool.Query(ctx, `
		SELECT g.handle, g.title, array(SELECT person FROM group_members WHERE group_handle = g.handle)
		FROM agent_groups g ORDER BY lower(g.title), g.handle`)
	if err != nil {
		return nil, explain(err, "list the groups")
	}
	groups, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (g desk.Group, err error) {
		var members []ticket.PersonID
		err = row.Scan(&g.Handle, &g.Title, &members)
		for _, c := range staff {
			if slices.Contains(members, c.ID) {
				g.Members = append(g.Members, c)
			}
		}
		return g, err
	})
	if err != nil {
		return nil, explain(err, "list the groups")
	}
	return append([]desk.Group{everyone}, groups...), nil
}

// MakeGroup makes a group without members. It is Forbidden as Groups is, Invalid by field, and a Conflict for a handle
// that a group has.
func (s *Store) MakeGroup(ctx context.Context, by desk.Person, handle, title string) error {
	if !by.Role.Commands() {
		return errRole
	}
	g := desk.Group{Handle: strings.TrimSpace(handle), Title: strings.TrimSpace(title)}
	if err := g.Check(); err != nil {
		return err
	}
	err := s.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `INSERT INTO agent_groups (handle, title) VALUES ($1, $2)`, g.Handle, g.Title); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventGroupMade, Actor: by.ID, Detail: g.Handle + ": " + g.Title})
	})
	if violates(err, "agent_groups_pkey") {
		return errGroupTaken
	}
	return explain(err, "make a group")
}

// RenameGroup gives a group another title; its handle stays. It is Forbidden as Groups is, Invalid on "title", NotFound
// for no group and a Conflict for everyone.
func (s *Store) RenameGroup(ctx context.Context, by desk.Person, handle, title string) error {
	g := desk.Group{Handle: "a", Title: strings.TrimSpace(title)} // its handle isn't in question
	if err := g.Check(); err != nil && by.Role.Commands() {
		return err
	}
	renamed := account.Event{Kind: account.EventGroupRenamed, Detail: handle + ": " + g.Title}
	return s.changeGroup(ctx, by, handle, renamed, `UPDATE agent_groups SET title = $2 WHERE handle = $1 RETURNING ''`, g.Title)
}

// DeleteGroup forgets a group. Rules that name it find nobody from then on. The errors are RenameGroup's.
func (s *Store) DeleteGroup(ctx context.Context, by desk.Person, handle string) error {
	deleted := account.Event{Kind: account.EventGroupDeleted, Detail: handle}
	return s.changeGroup(ctx, by, handle, deleted, `DELETE FROM agent_groups WHERE handle = $1 RETURNING ''`)
}

// JoinGroup takes somebody who works here, by handle or ID, into a group; who is in it already stays. It is NotFound for
// no group or nobody who works here, and otherwise fails as RenameGroup does.
func (s *Store) JoinGroup(ctx context.Context, by desk.Person, group, whose string) error {
	if !by.Role.Commands() {
		return errRole
	}
	person, err := s.staff(ctx, s.pool, whose)
	if err != nil {
		return err
	}
	return s.changeGroup(ctx, by, group, account.Event{Kind: account.EventGroupJoined, Detail: group}, `
		INSERT INTO group_members (group_handle, person) SELECT handle, $2 FROM agent_groups WHERE handle = $1
		ON CONFLICT ON CONSTRAINT group_members_pkey DO UPDATE SET person = excluded.person RETURNING person`, person.ID)
}

// LeaveGroup takes a member, by ID or handle, out of a group. The errors are JoinGroup's; who is disabled can be
// taken out too, and it is NotFound for who is no member.
func (s *Store) LeaveGroup(ctx context.Context, by desk.Person, group, whose string) error {
	err := s.changeGroup(ctx, by, group, account.Event{Kind: account.EventGroupLeft, Detail: group}, `
		DELETE FROM group_members m USING people p
		WHERE m.group_handle = $1 AND p.id = m.person AND (p.id = $2 OR lower(p.handle) = lower($2)) RETURNING m.person`, whose)
	if errors.Is(err, errNoGroup) {
		return errNoMember
	}
	return err
}

// changeGroup runs a statement about one group, which returns whom it concerns or an empty text, and records it. It is
// NotFound when the statement changed nothing.
func (s *Store) changeGroup(ctx context.Context, by desk.Person, handle string, e account.Event, statement string, args ...any) error {
	switch {
	case !by.Role.Commands():
		return errRole
	case handle == policy.Everyone:
		return errFixed
	}
	err := s.within(ctx, func(tx pgx.Tx) error {
		err := tx.QueryRow(ctx, statement, append([]any{handle}, args...)...).Scan(&e.Person)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoGroup
		}
		if err != nil {
			return err
		}
		e.Actor = by.ID
		return record(ctx, tx, e)
	})
	return explain(err, "change the group %q", handle)
}
