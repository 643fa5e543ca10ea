package app_test

import (
	"errors"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// There is no store, so a call that is not refused panics.
func TestUseCases_checkRolesBeforeUsingTheStore(t *testing.T) {
	staff, workspace, ctx := app.NewStaffing(nil), app.NewWorkspace(nil), t.Context()
	const n = ticket.Number("HM-0000000000")
	visitors := []ticket.Role{"", ticket.RoleCustomer}
	agents := append(visitors, ticket.RoleAgent)
	for name, c := range map[string]struct {
		refused []ticket.Role
		try     func(desk.Person) error
	}{
		"groups":        {agents, func(by desk.Person) error { _, err := staff.Groups(ctx, by); return err }},
		"make group":    {agents, func(by desk.Person) error { return staff.CreateGroup(ctx, by, "b", "B") }},
		"rename group":  {agents, func(by desk.Person) error { return staff.RenameGroup(ctx, by, "b", "B") }},
		"delete group":  {agents, func(by desk.Person) error { return staff.DeleteGroup(ctx, by, "b") }},
		"join group":    {agents, func(by desk.Person) error { return staff.AddToGroup(ctx, by, "b", "anna") }},
		"leave group":   {agents, func(by desk.Person) error { return staff.RemoveFromGroup(ctx, by, "b", "anna") }},
		"leave desk":    {visitors, func(by desk.Person) error { _, err := staff.SetAway(ctx, by, "anna", time.Time{}); return err }},
		"return":        {visitors, func(by desk.Person) error { _, err := staff.SetAvailable(ctx, by, "anna"); return err }},
		"canned":        {visitors, func(by desk.Person) error { _, err := workspace.CannedReplies(ctx, by); return err }},
		"save canned":   {visitors, func(by desk.Person) error { _, err := workspace.SaveCanned(ctx, by, desk.CannedReply{}); return err }},
		"delete canned": {visitors, func(by desk.Person) error { return workspace.DeleteCanned(ctx, by, 1) }},
		"filters":       {visitors, func(by desk.Person) error { _, err := workspace.SavedFilters(ctx, by); return err }},
		"save filter":   {visitors, func(by desk.Person) error { _, err := workspace.SaveFilter(ctx, by, desk.SavedFilter{}); return err }},
		"delete filter": {visitors, func(by desk.Person) error { return workspace.DeleteFilter(ctx, by, 1) }},
		"queue counts":  {visitors, func(by desk.Person) error { _, err := workspace.QueueCounts(ctx, by); return err }},
		"history":       {visitors, func(by desk.Person) error { _, err := workspace.History(ctx, by, n); return err }},
		"others":        {visitors, func(by desk.Person) error { _, _, err := workspace.Others(ctx, by, n); return err }},
		"look":          {visitors, func(by desk.Person) error { return workspace.RecordPresence(ctx, by, n, true) }},
	} {
		t.Run(name, func(t *testing.T) {
			for _, role := range c.refused {
				err := c.try(desk.Person{ID: "P-1", Role: role})
				if refused, ok := errors.AsType[*fault.Error](err); !ok || refused.Kind != fault.Forbidden || refused.Code != ticket.CodeRole {
					t.Errorf("%q gets %v", role, err)
				}
			}
		})
	}
}
