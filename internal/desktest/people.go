package desktest

import (
	"context"
	"maps"
	"slices"
	"strings"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// person is a person of the desk.
type person struct {
	role     ticket.Role
	handle   string // of staff
	disabled bool
}

func staff() map[ticket.PersonID]*person {
	return map[ticket.PersonID]*person{
		Customer:      {role: ticket.RoleCustomer},
		Alice:         {role: ticket.RoleAgent, handle: "alice"},
		Bob:           {role: ticket.RoleAgent, handle: "bob"},
		Supervisor:    {role: ticket.RoleSupervisor, handle: "supervisor"},
		Administrator: {role: ticket.RoleAdministrator, handle: "administrator"},
	}
}

// Disable disables a person's account.
func (d *Desk) Disable(id ticket.PersonID) {
	defer d.lock()()
	d.people[id].disabled = true
}

// handle returns a person's handle, or an empty string if there is none.
func (d *Desk) handle(id ticket.PersonID) string {
	if p := d.people[id]; p != nil {
		return p.handle
	}
	return ""
}

// SetGroup sets the members of a group.
func (d *Desk) SetGroup(handle string, members ...ticket.PersonID) {
	defer d.lock()()
	d.groups[handle] = members
}

// Disabled implements app.StepTx.
func (tx *stepTx) Disabled(_ context.Context, some []ticket.PersonID) (map[ticket.PersonID]app.Disabled, error) {
	disabled := map[ticket.PersonID]app.Disabled{}
	for _, id := range some {
		if p := tx.people[id]; p != nil && p.disabled {
			disabled[id] = app.Disabled{Role: p.role, Handle: p.handle}
		}
	}
	return disabled, nil
}

// Audience implements app.StepTx.
func (tx *stepTx) Audience(_ context.Context, a policy.Audience) ([]ticket.PersonID, error) {
	role := ticket.RoleSupervisor
	if a == policy.NotifyAdministrators {
		role = ticket.RoleAdministrator
	}
	return tx.enabledPeople(func(_ ticket.PersonID, p *person) bool { return p.role == role }), nil
}

// StaffByHandle implements app.StepTx.
func (tx *stepTx) StaffByHandle(_ context.Context, handles []string) (map[string]ticket.PersonID, error) {
	found := map[string]ticket.PersonID{}
	for _, handle := range handles {
		handle = strings.ToLower(handle)
		for _, id := range tx.enabledPeople(func(_ ticket.PersonID, p *person) bool { return p.handle == handle }) {
			found[handle] = id
		}
	}
	return found, nil
}

// Staff implements app.StepTx.
func (tx *stepTx) Staff(_ context.Context, handleOrID string) (ticket.PersonID, error) {
	found := tx.enabledPeople(func(id ticket.PersonID, p *person) bool {
		return p.role.Staff() && (string(id) == handleOrID || strings.EqualFold(p.handle, handleOrID))
	})
	if len(found) == 0 {
		return "", fault.New(fault.NotFound, "there is no such person")
	}
	return found[0], nil
}

// Roster implements app.StepTx. All members of a group are available.
func (tx *stepTx) Roster(_ context.Context, group string) ([]ticket.Candidate, error) {
	var present []ticket.Candidate
	for _, id := range tx.enabledPeople(func(id ticket.PersonID, p *person) bool {
		return slices.Contains(tx.groups[group], id) || group == policy.Everyone && p.role == ticket.RoleAgent
	}) {
		c := ticket.Candidate{ID: id, Handle: tx.people[id].handle, Turn: tx.turns[app.RotationTurn{Group: group, Person: id}]}
		for _, r := range tx.tickets {
			if t := r.state.Ticket; t.Assignee == id && ticket.VerbResolve.Fits(t.Status) {
				c.Load++
			}
		}
		present = append(present, c)
	}
	return present, nil
}

// enabledPeople returns the people who are not disabled and meet a condition, by ID.
func (tx *stepTx) enabledPeople(condition func(ticket.PersonID, *person) bool) (found []ticket.PersonID) {
	for _, id := range slices.Sorted(maps.Keys(tx.people)) {
		if p := tx.people[id]; !p.disabled && condition(id, p) {
			found = append(found, id)
		}
	}
	return found
}

// lastTurn returns the number of a group's last turn.
func (tx *stepTx) lastTurn(group string) (last int64) {
	for turn, n := range tx.turns {
		if turn.Group == group {
			last = max(last, n)
		}
	}
	return last
}
