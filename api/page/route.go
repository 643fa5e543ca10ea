package page

import (
	"fmt"
	"io/fs"
	"net/http"
	"net/url"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Area is the part of the website for one audience.
type Area struct {
	Name      string // in lower case: "portal"
	Templates fs.FS  // *.html at its root; files whose names begin with _ are shared by all pages (embed them with all:)
	Routes    []Route
}

// NewArea returns an area whose templates are in the directory templates of files.
func NewArea(name string, files fs.FS, routes []Route) Area {
	own, err := fs.Sub(files, "templates")
	if err != nil {
		panic(err) // the name is valid
	}
	return Area{Name: name, Templates: own, Routes: routes}
}

// Route is an entry of an area's table.
type Route struct {
	Method string // GET or POST: forms know no other
	Path   string // as gin has it: /tickets/:number
	Access Access
	Handle func(*Visit) error // its error becomes an error page

	Files    bool // its form may have files, which the handler uploads with Visit.UploadFiles
	Entrance bool // it signs in or out, so its form may be sent by another person than it was shown to
}

// Get returns a GET route.
func Get(path string, access Access, handle func(*Visit) error) Route {
	return Route{Method: http.MethodGet, Path: path, Access: access, Handle: handle}
}

// Post returns a POST route.
func Post(path string, access Access, handle func(*Visit) error) Route {
	return Route{Method: http.MethodPost, Path: path, Access: access, Handle: handle}
}

// WithFiles returns the route for a form that may have files.
func (r Route) WithFiles() Route {
	r.Files = true
	return r
}

// Form returns a handler that reads the posted form first.
func Form(handle func(*Visit, url.Values) error) func(*Visit) error {
	return func(v *Visit) error {
		form, err := v.Form()
		if err != nil {
			return err
		}
		return handle(v, form)
	}
}

// Entrance returns a POST route that signs in or out.
func Entrance(path string, handle func(*Visit) error) Route {
	return Route{Method: http.MethodPost, Path: path, Access: Anyone, Handle: handle, Entrance: true}
}

func (r Route) check() error {
	switch {
	case r.Access.Who == "":
		return fmt.Errorf("%s %s has no rule for who may ask", r.Method, r.Path)
	case r.Method != http.MethodGet && r.Method != http.MethodPost:
		return fmt.Errorf("%s %s is neither GET nor POST", r.Method, r.Path)
	case r.Handle == nil:
		return fmt.Errorf("%s %s has no handler", r.Method, r.Path)
	default:
		return nil
	}
}

// Access is the access rule of a route of the API or the website. The zero Access is invalid.
type Access struct {
	Who    string                 // for the API's document
	Allows func(ticket.Role) bool // nil: anyone, without signing in

	Greets bool   // identifies who has signed in, though anyone is allowed: staff see more; used by the API only
	Signs  bool   // the handler verifies a signature of the request, so requests of one source are not limited; used by the API only
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
