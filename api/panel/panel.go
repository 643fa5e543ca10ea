// Package panel renders the agents' panel: queues, the list of tickets and the open ticket, with live updates. It
// renders what internal/desk returns and sends commands; it knows no SQL, no Temporal and none of the rules of the
// domain.
package panel

import (
	"context"
	"embed"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed all:templates
var templates embed.FS

type tickets interface {
	request.Commander
	request.TicketReader
	request.PolicyReader
	Submit(context.Context, desk.Person, desk.Submission) (desk.Receipt, error)
	Bulk(context.Context, desk.Person, []ticket.Number, map[ticket.Number]int, desk.Request) ([]desk.Result, error)
}

// staffView reads what only staff may see; see app.Workspace.
type staffView interface {
	QueueCounts(context.Context, desk.Person) (map[desk.Queue]int, error)
	// Quarantined returns the number of incoming mails in quarantine, counted up to 1000.
	Quarantined(context.Context, desk.Person) (int, error)
	History(context.Context, desk.Person, ticket.Number) (desk.History, error)
	// Others returns the newest of the requester's other tickets, and how many there are.
	Others(context.Context, desk.Person, ticket.Number) ([]desk.TicketSummary, int, error)
	RecordPresence(ctx context.Context, by desk.Person, n ticket.Number, writing bool) error
}

// staffing lists the staff and records absences.
type staffing interface {
	request.StaffReader
	request.Absences
}

// snippets stores canned replies and saved filters; see app.Workspace.
type snippets interface {
	CannedReplies(context.Context, desk.Person) ([]desk.CannedReply, error)
	SaveCanned(context.Context, desk.Person, desk.CannedReply) (id int64, err error)
	DeleteCanned(context.Context, desk.Person, int64) error
	SavedFilters(context.Context, desk.Person) ([]desk.SavedFilter, error)
	SaveFilter(context.Context, desk.Person, desk.SavedFilter) (id int64, err error)
	DeleteFilter(context.Context, desk.Person, int64) error
}

type workspace interface {
	staffView
	snippets
	CorrectContact(ctx context.Context, by desk.Person, id ticket.PersonID, address string) error
}

// store reads and records what needs no use case.
type store interface {
	request.RatingReader
	EndPresence(context.Context, desk.Person, ticket.Number) error
	Presences(context.Context, ticket.Number) ([]desk.Presence, error)
	// ReadEscalationLink returns the ticket and the recipient of a signed link in an escalation's mail. The error is
	// fault.NotFound if the recipient is no longer on the staff.
	ReadEscalationLink(ctx context.Context, token string) (link.Grant, desk.Person, error)
}

// Pages serves the panel's routes.
type Pages struct {
	desk      tickets
	workspace workspace
	staffing  staffing
	store     store
	files     request.FileUploader
	feed      request.Feed

	linkLimiter *request.Sources
}

// Rate and burst of requests with links, for each source.
const (
	linkRate  = rate.Limit(2)
	linkBurst = 30
)

// New returns the panel. f reports the changes that live updates announce.
func New(d tickets, w workspace, st staffing, s store, files request.FileUploader, f request.Feed) *Pages {
	return &Pages{desk: d, workspace: w, staffing: st, store: s, files: files, feed: f, linkLimiter: request.NewSources(linkRate, linkBurst, request.MaxSources)}
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area { return page.NewArea("panel", templates, p.routes()) }

// routes returns all routes of the panel, with those of the forms for the registry's verbs of agents. Only staff have
// access; links in emails work without signing in.
func (p *Pages) routes() []page.Route {
	staff := page.Staff
	linked := page.Access{Who: "Anyone on the staff with the link in an escalation's email, without signing in."}
	routes := []page.Route{
		page.Get("/desk", staff, p.list),
		page.Get("/desk/live", staff, p.live),
		page.Get("/e/:token", linked, p.escalation),
		page.Post("/e/:token", linked, p.acknowledge),
		page.Post("/desk/bulk", staff, page.Form(p.bulk)),
		page.Get("/desk/tickets/:number", staff, p.ticket),
		page.Get("/desk/tickets/:number/canned/:id", staff, p.cannedText),
		page.Post("/desk/tickets/:number/handover", staff, posted(p.handOver)),
		page.Post("/desk/tickets/:number/presence", staff, posted(p.presence)),
		page.Post("/desk/tickets/:number/contact", staff, posted(p.correctContact)),
		page.Get("/desk/new", staff, p.newTicket),
		page.Post("/desk/new", staff, page.Form(p.openTicket)).WithFiles(),
		page.Get("/desk/away", staff, p.away),
		page.Post("/desk/away", staff, page.Form(p.leave)),
		page.Get("/desk/canned", staff, p.canned),
		page.Post("/desk/canned", staff, page.Form(p.saveCanned)),
		page.Post("/desk/canned/:id/deletion", staff, p.deleteCanned),
		page.Get("/desk/filters", staff, p.filters),
		page.Post("/desk/filters", staff, page.Form(p.saveFilter)),
		page.Post("/desk/filters/:id/deletion", staff, p.deleteFilter),
	}
	for _, d := range ticket.Definitions() {
		for _, o := range d.For(ticket.RoleAgent) {
			handle := p.command(d.Verb)
			if d.InWords() {
				handle = p.write(modeOf(d.Verb))
			}
			route := page.Post("/desk/tickets/:number/"+o.Path, staff, posted(handle))
			route.Files = d.Verb.Takes("files")
			routes = append(routes, route)
		}
	}
	return routes
}
