package app

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errEveryone = fault.NewConflict("group-fixed", "everyone is all agents: it can't be changed")

// GroupMembers is a group as it is stored: everyone is not, as its members follow from their roles.
type GroupMembers struct {
	Handle, Title string
	People        []ticket.PersonID // also those who are disabled
}

// groupStore holds the groups. It records each change with the person who made it, and returns a NotFound fault for a
// group or a member that does not exist.
type groupStore interface {
	// AddGroup returns a Conflict for a handle that another group has.
	AddGroup(ctx context.Context, by ticket.PersonID, handle, title string) error
	SetGroupTitle(ctx context.Context, by ticket.PersonID, handle, title string) error
	RemoveGroup(ctx context.Context, by ticket.PersonID, handle string) error
	// AddMember changes nothing for a member.
	AddMember(ctx context.Context, by ticket.PersonID, group string, person ticket.PersonID) error
	RemoveMember(ctx context.Context, by ticket.PersonID, group, handleOrID string) error
}

// staffReader knows the staff. Those who are disabled are left out.
type staffReader interface {
	Staff(context.Context) ([]desk.Colleague, error)
	// Colleague returns a NotFound fault if there is no such person.
	Colleague(ctx context.Context, handleOrID string) (desk.Colleague, error)
	// GroupMembers returns the groups by title.
	GroupMembers(context.Context) ([]GroupMembers, error)
}

// absenceStore holds who is away.
type absenceStore interface {
	// MarkAway marks a person as away until an instant, zero: until they are back, and returns false if it has passed. An
	// absence that lasts keeps its beginning.
	MarkAway(ctx context.Context, person ticket.PersonID, until time.Time) (c desk.Colleague, marked bool, err error)
	MarkBack(ctx context.Context, person ticket.PersonID) (desk.Colleague, error)
}

type staffingStore interface {
	groupStore
	staffReader
	absenceStore
}

// Staffing is who can be given tickets: the groups that assignment rules name, and who is away.
type Staffing struct{ store staffingStore }

// NewStaffing returns the use cases on a store.
func NewStaffing(s staffingStore) *Staffing { return &Staffing{s} }

// Staff lists the staff by name, without those who are disabled.
func (s *Staffing) Staff(ctx context.Context) ([]desk.Colleague, error) { return s.store.Staff(ctx) }

// Groups lists the groups with their members: everyone first, the others by title. It is Forbidden to all but
// supervisors and administrators.
func (s *Staffing) Groups(ctx context.Context, by desk.Person) ([]desk.Group, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return nil, err
	}
	staff, err := s.store.Staff(ctx)
	if err != nil {
		return nil, err
	}
	stored, err := s.store.GroupMembers(ctx)
	if err != nil {
		return nil, err
	}
	groups := []desk.Group{{Handle: policy.Everyone, Title: "All agents", Fixed: true}}
	for _, g := range stored {
		groups = append(groups, desk.Group{Handle: g.Handle, Title: g.Title})
	}
	for _, c := range staff {
		if c.Role == ticket.RoleAgent {
			groups[0].Members = append(groups[0].Members, c)
		}
		for i, g := range stored {
			if slices.Contains(g.People, c.ID) {
				groups[i+1].Members = append(groups[i+1].Members, c)
			}
		}
	}
	return groups, nil
}

// MakeGroup makes a group without members. It is Forbidden as Groups is, Invalid by field, and a Conflict for a handle
// that a group has.
func (s *Staffing) MakeGroup(ctx context.Context, by desk.Person, handle, title string) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	g := desk.Group{Handle: strings.TrimSpace(handle), Title: strings.TrimSpace(title)}
	if err := g.Check(); err != nil {
		return err
	}
	return s.store.AddGroup(ctx, by.ID, g.Handle, g.Title)
}

// RenameGroup changes a group's title; its handle stays. It is Forbidden as Groups is, Invalid on "title", NotFound
// for no group and a Conflict for everyone.
func (s *Staffing) RenameGroup(ctx context.Context, by desk.Person, handle, title string) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	g := desk.Group{Handle: "a", Title: strings.TrimSpace(title)} // its handle isn't in question
	if err := g.Check(); err != nil {
		return err
	}
	if handle == policy.Everyone {
		return errEveryone
	}
	return s.store.SetGroupTitle(ctx, by.ID, handle, g.Title)
}

// DeleteGroup deletes a group. Rules that name it find no one from then on. The errors are RenameGroup's.
func (s *Staffing) DeleteGroup(ctx context.Context, by desk.Person, handle string) error {
	if err := mayChangeGroup(by, handle); err != nil {
		return err
	}
	return s.store.RemoveGroup(ctx, by.ID, handle)
}

// JoinGroup adds one of the staff, by handle or ID, to a group; a member stays one. It is NotFound for no group or a
// person who is not staff, and otherwise fails as RenameGroup does.
func (s *Staffing) JoinGroup(ctx context.Context, by desk.Person, group, handleOrID string) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	person, err := s.store.Colleague(ctx, handleOrID)
	if err != nil {
		return err
	}
	if group == policy.Everyone {
		return errEveryone
	}
	return s.store.AddMember(ctx, by.ID, group, person.ID)
}

// LeaveGroup takes a member, by ID or handle, out of a group; one who is disabled, too. The errors are JoinGroup's, and
// it is NotFound for a person who is no member.
func (s *Staffing) LeaveGroup(ctx context.Context, by desk.Person, group, handleOrID string) error {
	if err := mayChangeGroup(by, group); err != nil {
		return err
	}
	return s.store.RemoveMember(ctx, by.ID, group, handleOrID)
}

func mayChangeGroup(by desk.Person, handle string) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	if handle == policy.Everyone {
		return errEveryone
	}
	return nil
}

// LeaveDesk marks a colleague, by handle or ID, as away until an instant, or until they are back with the zero one. An
// absence that lasts keeps its beginning. Supervisors may do it for others. It is Forbidden to everyone else, Invalid on
// "until" for an instant that has passed, and NotFound for a person who is not staff.
func (s *Staffing) LeaveDesk(ctx context.Context, by desk.Person, handleOrID string, until time.Time) (desk.Colleague, error) {
	c, err := s.absentee(ctx, by, handleOrID)
	if err != nil {
		return desk.Colleague{}, err
	}
	c, marked, err := s.store.MarkAway(ctx, c.ID, until)
	if err == nil && !marked {
		err = fault.Field("until", "must be in the future")
	}
	return c, err
}

// ReturnToDesk marks a colleague as back. The errors are LeaveDesk's.
func (s *Staffing) ReturnToDesk(ctx context.Context, by desk.Person, handleOrID string) (desk.Colleague, error) {
	c, err := s.absentee(ctx, by, handleOrID)
	if err != nil {
		return desk.Colleague{}, err
	}
	return s.store.MarkBack(ctx, c.ID)
}

// absentee returns the colleague handleOrID absence is to be changed.
func (s *Staffing) absentee(ctx context.Context, by desk.Person, handleOrID string) (desk.Colleague, error) {
	if err := authorise(by, staffOnly); err != nil {
		return desk.Colleague{}, err
	}
	c, err := s.store.Colleague(ctx, handleOrID)
	if err == nil && c.ID != by.ID {
		err = authorise(by, supervisorsOnly)
	}
	return c, err
}
