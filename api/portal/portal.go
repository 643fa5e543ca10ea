// Package portal is the website's part for customers and visitors: what this desk promises, submitting and following a
// ticket, rating it, tracking by number, the links in mails, suggestions and the policy. Every page works without a
// script. It asks the desk as the JSON API does, and knows no SQL, no mail and no Temporal; staff's pages are elsewhere.
package portal

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

type tickets interface {
	request.Acceptor
	request.TicketReader
	request.Tracker
	request.PolicyReader
	WouldPromise(ctx context.Context, p *policy.Policy, at time.Time) (desk.Promised, error)
}

// ticketRecords is what stands beside the tickets.
type ticketRecords interface {
	request.RatingReader
	// Undecided gives what this person asked of a ticket and no step has taken yet, oldest first.
	Undecided(context.Context, desk.Person, ticket.Number) ([]desk.PendingCommand, error)
	Policies(context.Context) ([]desk.PolicyVersion, error)
	// SentWith is the ticket that a person sent under a key; empty: none.
	SentWith(ctx context.Context, by desk.Person, key string) (ticket.Number, error)
}

// suggestionBox takes suggestions, also of visitors; see app.Suggestions.
type suggestionBox interface {
	Suggest(ctx context.Context, by desk.Person, key, body string) error
}

// links reads the signed links in mails.
type links interface {
	ReadLink(ctx context.Context, token string) (link.Grant, error)
	SessionEpoch(context.Context, ticket.PersonID) (int64, error)
}

// How often one source may ask for what is open to everybody: by the second, and at once.
const (
	trackRate    = rate.Limit(5)
	trackBurst   = 30
	suggestRate  = rate.Limit(1.0 / 60)
	suggestBurst = 5
	linkRate     = rate.Limit(2)
	linkBurst    = 30
)

// Pages are the customers' and visitors' pages.
type Pages struct {
	desk          tickets
	records       ticketRecords
	suggestionBox suggestionBox
	links         links
	feed          request.Feed

	trackLimiter, suggestLimiter, linkLimiter *request.Sources
}

// New makes the pages on the desk, what is kept beside its tickets, the links in mails and the feed of changes.
func New(d tickets, b ticketRecords, s suggestionBox, l links, f request.Feed) *Pages {
	return &Pages{
		desk: d, records: b, suggestionBox: s, links: l, feed: f,
		trackLimiter:   request.NewSources(trackRate, trackBurst, request.MaxSources),
		suggestLimiter: request.NewSources(suggestRate, suggestBurst, request.MaxSources),
		linkLimiter:    request.NewSources(linkRate, linkBurst, request.MaxSources),
	}
}

// Area gives the templates and the table of routes.
func (p *Pages) Area() page.Area {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "portal", Templates: files, Routes: p.routes()}
}
