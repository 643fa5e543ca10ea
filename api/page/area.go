package page

import (
	"fmt"
	"io/fs"
	"net/http"
)

// Area is the part of the website for one audience.
type Area struct {
	Name      string // in lower case: "portal"
	Templates fs.FS  // *.html at its root; files whose names begin with _ are shared by all pages (embed them with all:)
	Routes    []Route
}

// Route is an entry of an area's table.
type Route struct {
	Method string // GET or POST: forms know no other
	Path   string // as gin has it: /tickets/:number
	Access Access
	Handle func(*Visit) error // its error becomes an error page

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
