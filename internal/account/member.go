package account

import (
	"context"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Member is a person as administrators see them.
type Member struct {
	desk.Person
	Since      time.Time
	DisabledAt time.Time // zero: active
}

// MemberFilter selects members.
type MemberFilter struct {
	Role   ticket.Role // empty: staff
	Search string      // in names, addresses and handles; in all roles unless Role is set
	After  string      // last address of the previous page
	Limit  int
}

// PendingInvitation is an invitation that has not been accepted.
type PendingInvitation struct {
	LinkID           string
	Person           desk.Person // without an ID
	By               string
	CreatedAt, Until time.Time
}

// Members returns people for an administrator, ordered by address. more reports whether there are others.
func (s *Service) Members(ctx context.Context, by desk.Person, f MemberFilter) (list []Member, more bool, err error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, false, err
	}
	return s.store.Members(ctx, f)
}

// Member returns a person, disabled or not, for an administrator. It returns a NotFound fault if there is none.
func (s *Service) Member(ctx context.Context, by desk.Person, id ticket.PersonID) (Member, error) {
	if err := MayAdminister(by.Role); err != nil {
		return Member{}, err
	}
	return s.store.Member(ctx, id)
}

// Invitations returns the open invitations, newest first.
func (s *Service) Invitations(ctx context.Context, by desk.Person) ([]PendingInvitation, error) {
	if err := MayAdminister(by.Role); err != nil {
		return nil, err
	}
	return s.store.Invitations(ctx)
}

// Invite mails a link that creates an account with a role. Staff without a handle are assigned a neutral one. It
// returns a Conflict fault if the address or the handle is in use, and a Limited fault after too many invitations.
func (s *Service) Invite(ctx context.Context, by desk.Person, newcomer desk.Person) error {
	if err := MayAdminister(by.Role); err != nil {
		return err
	}
	newcomer.Name, newcomer.Address = strings.TrimSpace(newcomer.Name), strings.TrimSpace(newcomer.Address)
	newcomer.Handle = strings.TrimSpace(newcomer.Handle)
	checked := newcomer
	if checked.Handle == "" && checked.Role.Staff() {
		checked.Handle = "assigned-later"
	}
	if err := checked.Check(); err != nil {
		return err
	}
	if _, err := s.limit(ctx, invitationsPerAdministrator, string(by.ID)); err != nil {
		return err
	}
	return s.store.Invite(ctx, newID(), by.ID, newcomer, lifetime[Invitation])
}

// WithdrawInvitation withdraws an invitation. It returns a NotFound fault if the invitation is not open.
func (s *Service) WithdrawInvitation(ctx context.Context, by desk.Person, linkID string) error {
	if err := MayAdminister(by.Role); err != nil {
		return err
	}
	return s.store.CancelInvitation(ctx, by.ID, linkID)
}

// SetRole changes a person's role and ends their sessions, links and tokens. A customer who becomes staff is assigned a
// handle; staff cannot become customers, because tickets and timelines name them. It returns a Conflict fault for the
// caller's own account.
func (s *Service) SetRole(ctx context.Context, by desk.Person, id ticket.PersonID, role ticket.Role) error {
	if err := requireOther(by, id); err != nil {
		return err
	}
	if !role.Staff() {
		return fault.Field("role", "must be agent, supervisor or administrator")
	}
	return s.store.SetRole(ctx, by.ID, id, role)
}

// Disable disables an account and ends its sessions, links and tokens. Its history stays.
func (s *Service) Disable(ctx context.Context, by desk.Person, id ticket.PersonID) error {
	if err := requireOther(by, id); err != nil {
		return err
	}
	return s.store.Disable(ctx, by.ID, id)
}

// Enable enables a disabled account. Its sessions, links and tokens stay ended.
func (s *Service) Enable(ctx context.Context, by desk.Person, id ticket.PersonID) error {
	if err := requireOther(by, id); err != nil {
		return err
	}
	return s.store.Enable(ctx, by.ID, id)
}

// requireOther also ensures that one administrator always remains: administrators cannot change their own rights.
func requireOther(by desk.Person, id ticket.PersonID) error {
	if err := MayAdminister(by.Role); err != nil {
		return err
	}
	if by.ID == id {
		return fault.NewConflict("oneself", "you can't change your own account here; ask another administrator")
	}
	return nil
}
