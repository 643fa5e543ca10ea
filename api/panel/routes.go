package panel

import (
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// routes lists everything that the panel answers to, all of it to staff only. Who has a link from a mail need not sign in.
func (p *Pages) routes() []page.Route {
	staff := page.Staff
	linked := page.Access{Who: "Whoever of the staff has the link in an escalation's mail, without signing in."}
	return []page.Route{
		page.Get("/desk", staff, p.list),
		page.Get("/desk/live", staff, p.live),
		page.Get("/e/:token", linked, p.escalation),
		page.Post("/e/:token", linked, p.acknowledge),
		page.Post("/desk/bulk", staff, p.bulk),
		page.Get("/desk/tickets/:number", staff, p.ticket),
		page.Get("/desk/tickets/:number/canned/:id", staff, p.filled),
		page.Post("/desk/tickets/:number/assignment", staff, p.command(ticket.VerbAssign)),
		page.Post("/desk/tickets/:number/classification", staff, p.command(ticket.VerbReclassify)),
		page.Post("/desk/tickets/:number/acknowledgement", staff, p.command(ticket.VerbAcknowledge)),
		page.Post("/desk/tickets/:number/handover", staff, p.handOver),
		page.Post("/desk/tickets/:number/closure", staff, p.command(ticket.VerbClose)),
		page.Post("/desk/tickets/:number/reopening", staff, p.command(ticket.VerbReopen)),
		page.Post("/desk/tickets/:number/resend", staff, p.command(ticket.VerbResend)),
		page.Post("/desk/tickets/:number/replies", staff, p.write(modeReply)),
		page.Post("/desk/tickets/:number/resolution", staff, p.write(modeResolve)),
		page.Post("/desk/tickets/:number/information-requests", staff, p.write(modeRequest)),
		page.Post("/desk/tickets/:number/progress", staff, p.write(modeProgress)),
		page.Post("/desk/tickets/:number/notes", staff, p.write(modeNote)),
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
