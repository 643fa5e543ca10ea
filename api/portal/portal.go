// Package portal renders the pages for customers and visitors: the home page, submission, a customer's tickets,
// ratings, tracking by number, links from emails, suggestions, notices and the policy. Every page works without
// scripts. It uses the same use cases as the JSON API and knows no SQL, SMTP or Temporal; the pages of staff
// are in other packages.
package portal

import (
	"cmp"
	"context"
	"embed"
	"net/url"
	"time"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
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
	DeadlinesIfSubmitted(ctx context.Context, p *policy.Policy, at time.Time) (desk.Promised, error)
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

// links validates the signed links in emails.
type links interface {
	ReadLink(ctx context.Context, token string) (link.Grant, error)
	SessionEpoch(context.Context, ticket.PersonID) (int64, error)
}

// Rates and bursts of requests to public pages, for each source. That of ticket tracking is the API's, too.
const (
	suggestRate  = rate.Limit(1.0 / 60)
	suggestBurst = 5
	wordsRate    = rate.Limit(1)
	wordsBurst   = 30
	linkRate     = rate.Limit(2)
	linkBurst    = 30
)

// Pages serves the routes of the portal.
type Pages struct {
	desk          tickets
	records       ticketRecords
	suggestionBox suggestionBox
	links         links
	files         request.FileUploader
	feed          request.Feed

	trackLimiter, suggestLimiter, linkLimiter, wordsLimiter *request.Sources
}

// New returns the portal. f reports the changes that live updates announce.
func New(d tickets, b ticketRecords, s suggestionBox, l links, files request.FileUploader, f request.Feed) *Pages {
	return &Pages{
		desk: d, records: b, suggestionBox: s, links: l, files: files, feed: f,
		trackLimiter:   request.NewSources(request.TrackRate, request.TrackBurst, request.MaxSources),
		suggestLimiter: request.NewSources(suggestRate, suggestBurst, request.MaxSources),
		wordsLimiter:   request.NewSources(wordsRate, wordsBurst, request.MaxSources),
		linkLimiter:    request.NewSources(linkRate, linkBurst, request.MaxSources),
	}
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area { return page.NewArea("portal", templates, p.routes()) }

// Access of the routes of a ticket. It depends on the ticket, so the handlers of forReading and forCommand check it.
var (
	readingAccess   = page.Access{Who: "The ticket's requester and participants, signed in or with a link from an email; staff are redirected to the desk."}
	requesterAccess = page.Access{Who: "The ticket's requester and participants as far as they may, signed in or with a link from an email."}
)

// routes returns all routes of the portal.
func (p *Pages) routes() []page.Route { return append(p.fixedRoutes(), p.commandRoutes()...) }

// commandRoutes returns the routes of the forms for the registry's verbs of customers.
func (p *Pages) commandRoutes() []page.Route {
	var routes []page.Route
	for _, d := range ticket.Definitions() {
		for _, o := range d.For(ticket.RoleCustomer) {
			handle := p.reply
			if !d.InWords() {
				handle = func(v *page.Visit, a access, form url.Values) error {
					return p.act(v, a, form, d.Verb, cmp.Or(o.Done, d.Done))
				}
			}
			route := page.Post("/tickets/:number/"+o.Path, requesterAccess, forCommand(handle))
			route.Files = d.Verb.Takes("files")
			routes = append(routes, route)
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
		post("/tickets", page.Customers, page.Form(p.submit)).WithFiles(),
		get("/tickets/:number", readingAccess, forReading(p.ticket)),
		get("/tickets/:number/live", readingAccess, forReading(p.live)),
		get("/tickets/:number/receipt", readingAccess, forReading(p.receipt)),
		post("/tickets/:number/files", requesterAccess, p.upload),
		post("/tickets/:number/rating", requesterAccess, forCommand(p.rate)),

		post("/words/preview", page.Anyone, page.Form(p.preview)),
		post("/words/paste", page.Anyone, page.Form(p.paste)),

		get("/c/:token", page.Anyone, p.open),
		get("/track", page.Anyone, p.trackTyped),
		get("/track/:number", page.Anyone, p.trackNumber),
		get("/notice", page.Anyone, p.notice),
		get("/suggestions", page.Anyone, p.suggestions),
		post("/suggestions", page.Anyone, page.Form(p.suggest)),
		get("/policy", page.Anyone, p.policyInForce),
		get("/policy/:version", page.Anyone, p.policyVersion),
	}
}

var (
	errSignIn = fault.New(fault.Unauthenticated, "sign in to see this ticket")
	errStaff  = fault.New(fault.Forbidden, "staff reply to tickets at the desk")
)

// access is the ticket that a request is about, and as whom it may be read and changed.
type access struct {
	number    ticket.Number
	requester desk.Person // not checked here: loading the ticket checks that it is theirs
	byLink    bool        // opened by a link from an email, not by signing in as the requester
}

// draftOwner returns the person whose drafts the browser keeps. It is empty if the ticket was opened by a link while
// another person is signed in, because drafts of other people are deleted.
func (a access) draftOwner(v *page.Visit) ticket.PersonID {
	if a.byLink && v.SignedIn() {
		return ""
	}
	return a.requester.ID
}

// forReading returns a handler for pages about a ticket. Staff are redirected to the panel.
func forReading(show func(*page.Visit, access) error) func(*page.Visit) error {
	return func(v *page.Visit) error {
		if n, err := v.Number(); err == nil && v.Person.Role.Staff() {
			return v.Redirect("/desk/tickets/" + string(n))
		}
		a, err := accessOf(v)
		if err != nil {
			return err
		}
		return show(v, a)
	}
}

// forCommand returns a handler for forms that change a ticket. It refuses staff.
func forCommand(act func(*page.Visit, access, url.Values) error) func(*page.Visit) error {
	return page.Form(func(v *page.Visit, form url.Values) error {
		if v.Person.Role.Staff() {
			return errStaff
		}
		a, err := accessOf(v)
		if err != nil {
			return err
		}
		return act(v, a, form)
	})
}

// upload takes a file that a script sends for a reply to a ticket, also of a requester who has not signed in.
func (p *Pages) upload(v *page.Visit) error {
	if v.Person.Role.Staff() {
		return errStaff
	}
	a, err := accessOf(v)
	if err != nil {
		return err
	}
	if _, err := p.desk.Ticket(v.Context(), a.requester, a.number); err != nil {
		return err
	}
	return v.ReceiveFile(p.files, a.requester)
}

// accessOf returns the access of the visit to the ticket in its path. A link from an email that was opened in this
// browser grants the same access to its one ticket as signing in.
func accessOf(v *page.Visit) (access, error) {
	n, err := v.Number()
	if err != nil {
		return access{}, err
	}
	granted, err := v.Session.Granted(n)
	switch {
	case err == nil:
		return access{n, granted, granted.ID != v.Person.ID}, nil
	case fault.KindOf(err) != fault.Unauthenticated:
		return access{}, err
	case !v.SignedIn():
		return access{}, errSignIn
	default:
		return access{n, v.Person, false}, nil
	}
}
