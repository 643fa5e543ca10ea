package panel

import (
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// routes returns all routes of the panel. Only staff have access; links in mails work without signing in.
func (p *Pages) routes() []page.Route { return append(p.fixedRoutes(), p.commandRoutes()...) }

// commandRoutes returns the routes of the forms for the registry's verbs of agents.
func (p *Pages) commandRoutes() []page.Route {
	var routes []page.Route
	for _, d := range ticket.Definitions() {
		for _, o := range d.For(ticket.RoleAgent) {
			handle := p.command(d.Verb)
			if d.InWords() {
				handle = p.write(modeOf(d.Verb))
			}
			routes = append(routes, page.Post("/desk/tickets/:number/"+o.Path, page.Staff, handle))
		}
	}
	return routes
}

// fixedRoutes returns all other routes.
func (p *Pages) fixedRoutes() []page.Route {
	staff := page.Staff
	linked := page.Access{Who: "Anyone on the staff with the link in an escalation's email, without signing in."}
	return []page.Route{
		page.Get("/desk", staff, p.list),
		page.Get("/desk/live", staff, p.live),
		page.Get("/e/:token", linked, p.escalation),
		page.Post("/e/:token", linked, p.acknowledge),
		page.Post("/desk/bulk", staff, p.bulk),
		page.Get("/desk/tickets/:number", staff, p.ticket),
		page.Get("/desk/tickets/:number/canned/:id", staff, p.cannedText),
		page.Post("/desk/tickets/:number/handover", staff, p.handOver),
		page.Post("/desk/tickets/:number/presence", staff, p.presence),
		page.Get("/desk/away", staff, p.away),
		page.Post("/desk/away", staff, p.leave),
		page.Get("/desk/canned", staff, p.canned),
		page.Post("/desk/canned", staff, p.saveCanned),
		page.Post("/desk/canned/:id/deletion", staff, p.deleteCanned),
		page.Get("/desk/filters", staff, p.filters),
		page.Post("/desk/filters", staff, p.saveFilter),
		page.Post("/desk/filters/:id/deletion", staff, p.deleteFilter),
	}
}
