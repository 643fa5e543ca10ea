package account

import (
	"context"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Member is somebody as administrators see them.
type Member struct {
	desk.Person
	Since      time.Time
	DisabledAt time.Time // zero: they may come in
}

// MemberFilter chooses members.
type MemberFilter struct {
	Role   ticket.Role // empty: staff
	Search string      // in names, addresses and handles; with it the role is not looked at, unless it is given
	After  string      // the last address of the page before
	Limit  int
}

// Invited is an invitation that nobody has accepted yet.
type Invited struct {
	LinkID      string
	Person      desk.Person // without an ID
	By          string
	Made, Until time.Time
}

// Members lists people for an administrator, by address; more says that the list goes on.
func (s *Service) Members(ctx context.Context, by desk.Person, f MemberFilter) (list []Member, more bool, err error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, false, err
	}
	return s.vault.Members(ctx, f)
}

// Member returns one person for an administrator, disabled or not. NotFound: there is none of that ID.
func (s *Service) Member(ctx context.Context, by desk.Person, id ticket.PersonID) (Member, error) {
	if err := MayAdminister(by.Role); err != nil {
		return Member{}, err
	}
	return s.vault.Member(ctx, id)
}

// Invitations lists those that are open, the newest first.
func (s *Service) Invitations(ctx context.Context, by desk.Person) ([]Invited, error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, err
	}
	return s.vault.Invitations(ctx)
}

// Invite mails somebody a link that brings them in, in a role. Staff without a handle get one that says nothing about
// them. Conflict: somebody has the address or the handle. Limited: they have invited too many of late.
func (s *Service) Invite(ctx context.Context, by desk.Person, newcomer desk.Person) error {
	if err := MayAdminister(by.Role); err != nil {
		return err
	}
	newcomer.Name, newcomer.Address = strings.TrimSpace(newcomer.Name), strings.TrimSpace(newcomer.Address)
	newcomer.Handle = strings.TrimSpace(newcomer.Handle)
	checked := newcomer
	if checked.Handle == "" && checked.Role.Staff() {
		checked.Handle = "drawn-later"
	}
	if err := checked.Check(); err != nil {
		return err
	}
	if _, err := s.take(ctx, invitationsOf, string(by.ID)); err != nil {
		return err
	}
	return s.vault.Invite(ctx, newID(), by.ID, newcomer, lasts[Invitation])
}

// Uninvite calls an invitation off. NotFound: it isn't open.
func (s *Service) Uninvite(ctx context.Context, by desk.Person, linkID string) error {
	if err := MayAdminister(by.Role); err != nil {
		return err
	}
	return s.vault.Uninvite(ctx, by.ID, linkID)
}

// SetRole changes what somebody may do, and ends their sessions, links and tokens. A customer who becomes staff gets a handle; staff can't
// become customers, because tickets and histories name them. Conflict: it is one's own role.
func (s *Service) SetRole(ctx context.Context, by desk.Person, id ticket.PersonID, role ticket.Role) error {
	if err := othersOnly(by, id); err != nil {
		return err
	}
	if !role.Staff() {
		return fault.Field("role", "must be agent, supervisor or administrator")
	}
	return s.vault.SetRole(ctx, by.ID, id, role)
}

// Disable shuts somebody out at once, with all their sessions, links and tokens. What they did stays.
func (s *Service) Disable(ctx context.Context, by desk.Person, id ticket.PersonID) error {
	if err := othersOnly(by, id); err != nil {
		return err
	}
	return s.vault.Disable(ctx, by.ID, id)
}

// Enable lets somebody in again. Their sessions, links and tokens stay ended.
func (s *Service) Enable(ctx context.Context, by desk.Person, id ticket.PersonID) error {
	if err := othersOnly(by, id); err != nil {
		return err
	}
	return s.vault.Enable(ctx, by.ID, id)
}

// othersOnly also keeps the last administrator: nobody takes their own rights away.
func othersOnly(by desk.Person, id ticket.PersonID) error {
	if err := MayAdminister(by.Role); err != nil {
		return err
	}
	if by.ID == id {
		return fault.Refusal("oneself", "another administrator has to do that to you")
	}
	return nil
}
