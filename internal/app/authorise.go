package app

import (
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// permission reports whether a role may call a use case. The permissions for commands on tickets follow from the registry
// of verbs; see ticket.MayAsk.
type permission func(ticket.Role) bool

var (
	staffOnly       permission = ticket.Role.Staff
	supervisorsOnly permission = ticket.Role.Commands
	customersOnly   permission = func(r ticket.Role) bool { return r == ticket.RoleCustomer }
)

var errRole = &fault.Error{Kind: fault.Forbidden, Code: ticket.CodeRole, Message: "you don't have permission to do this"}

// authorise returns a Forbidden fault unless the person's role has the permission.
func authorise(by desk.Person, may permission) error {
	if !may(by.Role) {
		return errRole
	}
	return nil
}

// mayAsk returns the permission for commands with a verb.
func mayAsk(verb ticket.Verb) permission {
	return func(r ticket.Role) bool { return ticket.MayAsk(r, verb) }
}
