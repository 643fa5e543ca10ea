package page

import (
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Access is the rule of a route of the API or the pages: who may ask. The zero Access is no rule, and no route may have it.
type Access struct {
	Who    string                 // in words
	Allows func(ticket.Role) bool // nil: anyone, without signing in

	Greets bool   // anyone, and staff who say who they are see more; the API's only
	form   string // see Recently; empty: it does not matter when they signed in
}

// The rules that pages have.
var (
	Anyone         = Access{Who: "Anyone, without signing in."}
	SignedIn       = Access{Who: "Everyone who has signed in.", Allows: func(ticket.Role) bool { return true }}
	Customers      = Access{Who: "Customers.", Allows: func(r ticket.Role) bool { return r == ticket.RoleCustomer }}
	Staff          = Access{Who: "Staff.", Allows: ticket.Role.Staff}
	Supervisors    = Access{Who: "Supervisors and administrators.", Allows: ticket.Role.Commands}
	Administrators = Access{Who: "Administrators.", Allows: func(r ticket.Role) bool { return r == ticket.RoleAdministrator }}
)

// For narrows a rule to the roles that may ask for a verb.
func (a Access) For(verb ticket.Verb) Access {
	allows := a.Allows
	a.Allows = func(r ticket.Role) bool { return allows(r) && ticket.MayAsk(r, verb) }
	return a
}

// check lets in who the rule allows.
func (a Access) check(v *Visit) error {
	switch {
	case a.Allows == nil:
		return nil
	case !v.SignedIn():
		return fault.New(fault.Unauthenticated, "sign in to see this page")
	case !a.Allows(v.Person.Role):
		return fault.New(fault.Forbidden, "this page is not for your role")
	default:
		return nil
	}
}

// Recently is an access for whom it allows and who have signed in a short while ago. The others are asked to sign in
// again, and are led back to the page of the form then.
func Recently(a Access, form string) Access {
	a.Who, a.form = a.Who+" They must have signed in within the last 15 minutes.", form
	return a
}
