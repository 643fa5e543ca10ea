package page

import (
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Access is the access rule of a route of the API or the website. The zero Access is invalid.
type Access struct {
	Who    string                 // for the API's document
	Allows func(ticket.Role) bool // nil: anyone, without signing in

	Greets bool   // identifies who has signed in, though anyone is allowed: staff see more; used by the API only
	form   string // page of the form, see Recently; empty: the time of signing in does not matter
}

// The access rules of pages.
var (
	Anyone         = Access{Who: "Anyone, without signing in."}
	SignedIn       = Access{Who: "Everyone who has signed in.", Allows: func(ticket.Role) bool { return true }}
	Customers      = Access{Who: "Customers.", Allows: func(r ticket.Role) bool { return r == ticket.RoleCustomer }}
	Staff          = Access{Who: "Staff.", Allows: ticket.Role.Staff}
	Supervisors    = Access{Who: "Supervisors and administrators.", Allows: ticket.Role.Commands}
	Administrators = Access{Who: "Administrators.", Allows: func(r ticket.Role) bool { return r == ticket.RoleAdministrator }}
)

// For returns the rule narrowed to the roles that may use a verb.
func (a Access) For(verb ticket.Verb) Access {
	allows := a.Allows
	a.Allows = func(r ticket.Role) bool { return allows(r) && ticket.MayAsk(r, verb) }
	return a
}

// check returns a fault unless the rule allows the visit's person.
func (a Access) check(v *Visit) error {
	switch {
	case a.Allows == nil:
		return nil
	case !v.SignedIn():
		return fault.New(fault.Unauthenticated, "sign in to see this page")
	case !a.Allows(v.Person.Role):
		return fault.New(fault.Forbidden, "you don't have permission to do this")
	default:
		return nil
	}
}

// Recently returns the rule restricted to sessions that have signed in within the last 15 minutes. Others are asked to
// sign in again, and are redirected to the page of the form afterwards.
func Recently(a Access, form string) Access {
	a.Who, a.form = a.Who+" They must have signed in within the last 15 minutes.", form
	return a
}
