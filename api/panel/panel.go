package panel

import (
	"context"
	"embed"
	"io/fs"
	"time"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/link"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed all:templates
var templates embed.FS

type frontDesk interface {
	Command(context.Context, desk.Person, desk.Request) (desk.Accepted, ticket.Outcome, bool, error)
	Ticket(context.Context, desk.Person, ticket.Number) (desk.View, error)
	List(context.Context, desk.Filter) ([]desk.View, bool, error)
	Timeline(context.Context, desk.Person, ticket.Number) ([]desk.Entry, error)
	Bulk(context.Context, desk.Person, []ticket.Number, map[ticket.Number]int, desk.Request) ([]desk.Result, error)
	PolicyInForce(context.Context) (version int64, p *policy.Policy, document []byte, err error)
}

// archive is what only staff read.
type archive interface {
	QueueCounts(context.Context, desk.Person) (map[desk.Queue]int, error)
	History(context.Context, desk.Person, ticket.Number) (desk.History, error)
	// Others gives the newest of the requester's other tickets, and how many there are.
	Others(context.Context, desk.Person, ticket.Number) ([]desk.Brief, int, error)
	Rating(context.Context, desk.Person, ticket.Number) (desk.Rating, error)
	Staff(context.Context) ([]desk.Colleague, error)
}

// roster tells who is away from the desk.
type roster interface {
	LeaveDesk(ctx context.Context, by desk.Person, whose string, until time.Time) (desk.Colleague, error)
	ReturnToDesk(ctx context.Context, by desk.Person, whose string) (desk.Colleague, error)
}

// notebook keeps what staff wrote for themselves and for each other.
type notebook interface {
	CannedReplies(context.Context, desk.Person) ([]desk.Canned, error)
	SaveCanned(context.Context, desk.Person, desk.Canned) (id int64, err error)
	DeleteCanned(context.Context, desk.Person, int64) error
	SavedFilters(context.Context, desk.Person) ([]desk.Saved, error)
	SaveFilter(context.Context, desk.Person, desk.Saved) (id int64, err error)
	DeleteFilter(context.Context, desk.Person, int64) error
}

// door tells who has a ticket open.
type door interface {
	Look(ctx context.Context, by desk.Person, n ticket.Number, writing bool) error
	Leave(context.Context, desk.Person, ticket.Number) error
	Looking(context.Context, ticket.Number) ([]desk.Presence, error)
}

// links reads the signed links in escalations' mails.
type links interface {
	// ReadEscalationLink gives whom a link is for, and which ticket. It is NotFound once they work here no more.
	ReadEscalationLink(ctx context.Context, token string) (link.Grant, desk.Person, error)
}

type store interface {
	archive
	links
	notebook
	door
	roster
}

// Pages answers for the panel's routes.
type Pages struct {
	desk  frontDesk
	store store
	feed  feed

	linking *request.Sources
}

// How often one source may use links, by the second and at once.
const (
	linkRate  = rate.Limit(2)
	linkBurst = 30
)

// New makes the panel on the desk, the store and the feed of changes.
func New(d frontDesk, s store, f feed) *Pages {
	return &Pages{desk: d, store: s, feed: f, linking: request.NewSources(linkRate, linkBurst, request.MaxSources)}
}

// Area is the panel's part of the website.
func (p *Pages) Area() page.Area {
	own, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "panel", Templates: own, Routes: p.routes()}
}
