package portal

import (
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var (
	errSignIn = fault.New(fault.Unauthenticated, "sign in to see this ticket")
	errStaff  = fault.New(fault.Forbidden, "staff answer tickets at the desk")
)

// access is whose ticket a visit is about.
type access struct {
	number    ticket.Number
	requester desk.Person // the requester; that the ticket is theirs is checked by whoever loads it
	byLink    bool        // they came by a link from a mail, and are not signed in as that person
}

// draftOwner is whose drafts the browser keeps. It keeps none of a requester's whose link was opened while somebody else is
// signed in: those would be deleted.
func (a access) draftOwner(v *page.Visit) ticket.PersonID {
	if a.byLink && v.SignedIn() {
		return ""
	}
	return a.requester.ID
}

// forReading lets a ticket's requester see a page about it. Staff are sent to the desk.
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

// forCommand lets a ticket's requester do something to it.
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

// withAccess finds out as whom a visit may ask for a ticket: a link from a mail that this browser has opened is worth as
// much as signing in, for its one ticket.
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
