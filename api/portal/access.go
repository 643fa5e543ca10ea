package portal

import (
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	errSignIn = fault.New(fault.Unauthenticated, "sign in to see this ticket")
	errStaff  = fault.New(fault.Forbidden, "staff reply to tickets at the desk")
)

// access is the ticket that a request is about, and as whom it may be read and changed.
type access struct {
	number    ticket.Number
	requester desk.Person // not checked here: loading the ticket checks that it is theirs
	byLink    bool        // opened by a link from a mail, not by signing in as the requester
}

// draftOwner returns the person whose drafts the browser keeps. It is empty if the ticket was opened by a link while
// another person is signed in, because drafts of anybody else are deleted.
func (a access) draftOwner(v *page.Visit) ticket.PersonID {
	if a.byLink && v.SignedIn() {
		return ""
	}
	return a.requester.ID
}

// forReading returns a handler for pages about a ticket. Staff are redirected to the panel.
func (p *Pages) forReading(show func(*page.Visit, access) error) func(*page.Visit) error {
	return func(v *page.Visit) error {
		n, err := v.Number()
		if err != nil {
			return err
		}
		if v.Person.Role.Staff() {
			return v.Redirect("/desk/tickets/" + string(n))
		}
		return withAccess(v, n, show)
	}
}

// forCommand returns a handler for forms that change a ticket. It refuses staff.
func (p *Pages) forCommand(act func(*page.Visit, access) error) func(*page.Visit) error {
	return func(v *page.Visit) error {
		n, err := v.Number()
		if err != nil {
			return err
		}
		if v.Person.Role.Staff() {
			return errStaff
		}
		return withAccess(v, n, act)
	}
}

// withAccess calls handle with the access of the visit to ticket n. A link from a mail that was opened in this browser
// grants the same access to its one ticket as signing in.
func withAccess(v *page.Visit, n ticket.Number, handle func(*page.Visit, access) error) error {
	granted, err := v.Session.Granted(n)
	switch {
	case err == nil:
		return handle(v, access{n, granted, granted.ID != v.Person.ID})
	case fault.KindOf(err) != fault.Unauthenticated:
		return err
	case !v.SignedIn():
		return errSignIn
	default:
		return handle(v, access{n, v.Person, false})
	}
}
