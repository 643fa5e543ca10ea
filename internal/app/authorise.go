package app

import (
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// permission reports whether a role may do what a use case is for. Of a ticket's commands the registry of verbs says so;
// see ticket.MayAsk.
type permission func(ticket.Role) bool

var (
	staffOnly       permission = ticket.Role.Staff
	supervisorsOnly permission = ticket.Role.Commands
)

var errRole = &fault.Error{Kind: fault.Forbidden, Code: ticket.CodeRole, Message: "your role may not do this"}

// authorise returns a Forbidden fault unless a person has a permission.
func authorise(by desk.Person, may permission) error {
	if !may(by.Role) {
		return errRole
	}
	return nil
}

// mayAsk is the permission to ask for a verb.
func mayAsk(verb ticket.Verb) permission {
	return func(r ticket.Role) bool { return ticket.MayAsk(r, verb) }
}
