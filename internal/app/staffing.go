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

var errEveryone = fault.NewConflict("group-fixed", "the group everyone consists of all agents and can't be changed")

// GroupMembers is a stored group. policy.Everyone is not stored, since its members follow from their roles.
type GroupMembers struct {
	Handle, Title string
	People        []ticket.PersonID // also those who are disabled
}

// staffingStore holds the groups, the staff and their absences. It logs each change of a group with the person who made it,
// and returns a NotFound fault for a group, a member or a person that does not exist.
type staffingStore interface {
	// AddGroup returns a Conflict if a group with the handle exists.
	AddGroup(ctx context.Context, by ticket.PersonID, handle, title string) error
	SetGroupTitle(ctx context.Context, by ticket.PersonID, handle, title string) error
	RemoveGroup(ctx context.Context, by ticket.PersonID, handle string) error
	// AddMember does nothing if the person is a member.
	AddMember(ctx context.Context, by ticket.PersonID, group string, person ticket.PersonID) error
	RemoveMember(ctx context.Context, by ticket.PersonID, group, handleOrID string) error
	// GroupMembers returns the groups by title.
	GroupMembers(context.Context) ([]GroupMembers, error)

	// Staff and Colleague return staff who are not disabled.
	Staff(context.Context) ([]desk.Colleague, error)
	Colleague(ctx context.Context, handleOrID string) (desk.Colleague, error)
	// MarkAway marks a person as away until a given time, or until MarkBack if it is zero, and returns false if that time has
	// passed. The start of a current absence does not change.
	MarkAway(ctx context.Context, person ticket.PersonID, until time.Time) (c desk.Colleague, marked bool, err error)
	MarkBack(ctx context.Context, person ticket.PersonID) (desk.Colleague, error)
}

// Staffing manages to whom tickets can be assigned: the groups in assignment rules, and absences.
type Staffing struct{ store staffingStore }

// NewStaffing returns Staffing over a store.
func NewStaffing(s staffingStore) *Staffing { return &Staffing{s} }

// Staff returns the staff by name, without those who are disabled.
func (s *Staffing) Staff(ctx context.Context) ([]desk.Colleague, error) { return s.store.Staff(ctx) }

// Groups returns the groups with their members: policy.Everyone first, the others by title. It returns a Forbidden fault
// unless by is a supervisor or an administrator.
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

// CreateGroup adds a group without members. It returns Forbidden as Groups does, an Invalid fault that names the invalid
// fields, and a Conflict if a group with the handle exists.
func (s *Staffing) CreateGroup(ctx context.Context, by desk.Person, handle, title string) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	g := desk.Group{Handle: strings.TrimSpace(handle), Title: strings.TrimSpace(title)}
	if err := g.Check(); err != nil {
		return err
	}
	return s.store.AddGroup(ctx, by.ID, g.Handle, g.Title)
}

// RenameGroup changes a group's title, but not its handle. It returns Forbidden as Groups does, Invalid for the field
// "title", NotFound if the group does not exist, and a Conflict for policy.Everyone.
func (s *Staffing) RenameGroup(ctx context.Context, by desk.Person, handle, title string) error {
	if err := authorise(by, supervisorsOnly); err != nil {
		return err
	}
	g := desk.Group{Handle: "a", Title: strings.TrimSpace(title)} // any valid handle
	if err := g.Check(); err != nil {
		return err
	}
	if handle == policy.Everyone {
		return errEveryone
	}
	return s.store.SetGroupTitle(ctx, by.ID, handle, g.Title)
}

// DeleteGroup deletes a group. Assignment rules that refer to it assign no tickets afterwards. It returns
// Forbidden, NotFound and Conflict as RenameGroup does.
func (s *Staffing) DeleteGroup(ctx context.Context, by desk.Person, handle string) error {
	if err := mayChangeGroup(by, handle); err != nil {
		return err
	}
	return s.store.RemoveGroup(ctx, by.ID, handle)
}

// AddToGroup adds a member of the staff, by handle or ID, to a group, and does nothing if they are a member. It returns
// Forbidden, NotFound and Conflict as RenameGroup does, and NotFound also for a person who is not staff.
func (s *Staffing) AddToGroup(ctx context.Context, by desk.Person, group, handleOrID string) error {
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

// RemoveFromGroup removes a member, by handle or ID, from a group; the member may be disabled. It returns Forbidden,
// NotFound and Conflict as RenameGroup does, and NotFound also for a person who is not a member.
func (s *Staffing) RemoveFromGroup(ctx context.Context, by desk.Person, group, handleOrID string) error {
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

// SetAway marks a member of the staff, by handle or ID, as away until an instant or, if that is zero, until SetAvailable.
// The start of a current absence does not change. It returns a Forbidden fault unless by is that person, a supervisor or an
// administrator, Invalid for the field "until" if the instant has passed, and NotFound for a person who is not staff.
func (s *Staffing) SetAway(ctx context.Context, by desk.Person, handleOrID string, until time.Time) (desk.Colleague, error) {
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

// SetAvailable marks a member of the staff as back. It returns the faults of SetAway.
func (s *Staffing) SetAvailable(ctx context.Context, by desk.Person, handleOrID string) (desk.Colleague, error) {
	c, err := s.absentee(ctx, by, handleOrID)
	if err != nil {
		return desk.Colleague{}, err
	}
	return s.store.MarkBack(ctx, c.ID)
}

// absentee returns the person whose absence is to be changed, if by may do that.
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
