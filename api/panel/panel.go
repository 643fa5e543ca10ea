package panel

import (
	"context"
	"embed"
	"io/fs"

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
	Bulk(context.Context, desk.Person, []ticket.Number, map[ticket.Number]int, desk.Request) ([]desk.Result, error)
}

// staffView is what only staff may know; see app.Workspace.
type staffView interface {
	QueueCounts(context.Context, desk.Person) (map[desk.Queue]int, error)
	History(context.Context, desk.Person, ticket.Number) (desk.History, error)
	// Others returns the newest of the requester's other tickets, and how many there are.
	Others(context.Context, desk.Person, ticket.Number) ([]desk.TicketSummary, int, error)
	Look(ctx context.Context, by desk.Person, n ticket.Number, writing bool) error
}

// staffing is who of the staff is away.
type staffing interface {
	request.StaffReader
	request.Absences
}

// snippets are what staff wrote for themselves and for each other; see app.Workspace.
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
}

// store is what the panel reads and records as it is.
type store interface {
	request.RatingReader
	Leave(context.Context, desk.Person, ticket.Number) error
	Looking(context.Context, ticket.Number) ([]desk.Presence, error)
	// ReadEscalationLink returns whom a signed link in an escalation's mail is for, and which ticket. It is NotFound once
	// they are no longer staff.
	ReadEscalationLink(ctx context.Context, token string) (link.Grant, desk.Person, error)
}

// Pages answers for the panel's routes.
type Pages struct {
	desk      tickets
	workspace workspace
	staffing  staffing
	store     store
	feed      request.Feed

	linkLimiter *request.Sources
}

// How often one source may use links, by the second and at once.
const (
	linkRate  = rate.Limit(2)
	linkBurst = 30
)

// New makes the panel on the desk, the workspace, the staffing, the store and the feed of changes.
func New(d tickets, w workspace, st staffing, s store, f request.Feed) *Pages {
	return &Pages{desk: d, workspace: w, staffing: st, store: s, feed: f, linkLimiter: request.NewSources(linkRate, linkBurst, request.MaxSources)}
}

// Area is the panel's part of the website.
func (p *Pages) Area() page.Area {
	own, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "panel", Templates: own, Routes: p.routes()}
}
