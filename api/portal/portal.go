// Package portal renders the pages for customers and visitors: the home page, submission, a customer's tickets,
// ratings, tracking by number, links from mails, suggestions, notices and the policy. Every page works without
// scripts. It uses the same use cases as the JSON API and knows no SQL, no mail and no Temporal; the pages of staff
// are in other packages.
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

// ticketRecords reads what is stored beside the tickets.
type ticketRecords interface {
	request.RatingReader
	// Undecided returns the person's commands to a ticket that no step has applied yet, oldest first.
	Undecided(context.Context, desk.Person, ticket.Number) ([]desk.PendingCommand, error)
	Policies(context.Context) ([]desk.PolicyVersion, error)
	// SentWith returns the ticket that a person submitted with an idempotency key; empty: none.
	SentWith(ctx context.Context, by desk.Person, key string) (ticket.Number, error)
}

// suggestionBox stores suggestions, also of visitors; see app.Suggestions.
type suggestionBox interface {
	Suggest(ctx context.Context, by desk.Person, key, body string) error
}

// links validates the signed links in mails.
type links interface {
	ReadLink(ctx context.Context, token string) (link.Grant, error)
	SessionEpoch(context.Context, ticket.PersonID) (int64, error)
}

// Rates and bursts of requests to public pages, for each source.
const (
	trackRate    = rate.Limit(5)
	trackBurst   = 30
	suggestRate  = rate.Limit(1.0 / 60)
	suggestBurst = 5
	linkRate     = rate.Limit(2)
	linkBurst    = 30
)

// Pages serves the routes of the portal.
type Pages struct {
	desk          tickets
	records       ticketRecords
	suggestionBox suggestionBox
	links         links
	feed          request.Feed

	trackLimiter, suggestLimiter, linkLimiter *request.Sources
}

// New returns the portal. f reports the changes that live updates announce.
func New(d tickets, b ticketRecords, s suggestionBox, l links, f request.Feed) *Pages {
	return &Pages{
		desk: d, records: b, suggestionBox: s, links: l, feed: f,
		trackLimiter:   request.NewSources(trackRate, trackBurst, request.MaxSources),
		suggestLimiter: request.NewSources(suggestRate, suggestBurst, request.MaxSources),
		linkLimiter:    request.NewSources(linkRate, linkBurst, request.MaxSources),
	}
}

// Area returns the portal's templates and routes.
func (p *Pages) Area() page.Area {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "portal", Templates: files, Routes: p.routes()}
}
