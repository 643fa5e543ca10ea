// Package app implements the use cases: taking steps of tickets, accepting commands, importing tickets, declaring
// emergencies, publishing policies and moving tickets to them, reporting. Each accesses storage through a narrow interface
// declared beside it, so that production, the import and tests run the same code. The package knows no SQL, HTTP, SMTP or
// Temporal.
package app

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
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

// authorise returns a Forbidden fault unless the person's role has the permission.
func authorise(by desk.Person, may permission) error {
	if !may(by.Role) {
		return ticket.ErrRole
	}
	return nil
}

// mayAsk returns the permission for commands with a verb.
func mayAsk(verb ticket.Verb) permission {
	return func(r ticket.Role) bool { return ticket.MayAsk(r, verb) }
}

// publishedPolicies reads published policy versions.
type publishedPolicies interface {
	// Policy returns a version, and a NotFound fault if it does not exist.
	Policy(context.Context, int64) (*policy.Policy, error)
	// PolicyInForce returns the version in force, its policy and its document.
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
}

// waker wakes the relay, which delivers accepted commands to workflows. Wake neither blocks nor fails; what cannot be
// delivered now is delivered later.
type waker interface{ Wake() }

// relay delivers the commands that this process accepts under its lease by itself, without claiming them first.
type relay interface {
	waker
	// Lease returns the lease under which to accept a command, or "" if any process may deliver it, which is then to be woken.
	// For each lease, Deliver or Cancel is called once.
	Lease() string
	Deliver(c desk.AcceptedCommand)
	Cancel()
}
