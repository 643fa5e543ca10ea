package portal

import (
	"cmp"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Access of the routes of a ticket. It depends on the ticket, so the handlers of forReading and forCommand check it.
var (
	readingAccess   = page.Access{Who: "The ticket's requester, signed in or with a link from an email; staff are redirected to the desk."}
	requesterAccess = page.Access{Who: "The ticket's requester, signed in or with a link from an email."}
)

// routes returns all routes of the portal.
func (p *Pages) routes() []page.Route { return append(p.fixedRoutes(), p.commandRoutes()...) }

// commandRoutes returns the routes of the forms for the registry's verbs of requesters.
func (p *Pages) commandRoutes() []page.Route {
	var routes []page.Route
	for _, d := range ticket.Definitions() {
		handle := func(done string) func(*page.Visit, access) error {
			return func(v *page.Visit, a access) error { return p.act(v, a, d.Verb, done) }
		}
		if d.InWords() {
			handle = func(string) func(*page.Visit, access) error { return p.reply }
		}
		for _, o := range d.For(ticket.RoleCustomer) {
			routes = append(routes, page.Post("/tickets/:number/"+o.Path, requesterAccess, p.forCommand(handle(cmp.Or(o.Done, d.Done)))))
		}
	}
	return routes
}

// fixedRoutes returns all other routes.
func (p *Pages) fixedRoutes() []page.Route {
	get, post := page.Get, page.Post
	return []page.Route{
		get("/", page.Anyone, p.home),
		get("/dashboard", page.SignedIn, p.dashboard),

		get("/tickets", page.SignedIn, p.list),
		get("/tickets/new", page.Customers, p.form),
		post("/tickets", page.Customers, p.submit),
		get("/tickets/:number", readingAccess, p.forReading(p.ticket)),
		get("/tickets/:number/live", readingAccess, p.forReading(p.live)),
		get("/tickets/:number/receipt", readingAccess, p.forReading(p.receipt)),
		post("/tickets/:number/rating", requesterAccess, p.forCommand(p.rate)),

		get("/c/:token", page.Anyone, p.open),
		get("/track", page.Anyone, p.trackTyped),
		get("/track/:number", page.Anyone, p.trackNumber),
		get("/notice", page.Anyone, p.notice),
		get("/suggestions", page.Anyone, p.suggestions),
		post("/suggestions", page.Anyone, p.suggest),
		get("/policy", page.Anyone, p.policyInForce),
		get("/policy/:version", page.Anyone, p.policyVersion),
	}
}
