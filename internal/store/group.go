package store

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
