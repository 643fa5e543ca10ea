// Package account serves the pages for signing in and out, links from emails, registration, passwords, a person's own
// account with its API tokens, and, for administrators, all accounts. The rules are those of internal/account. It knows
// no SQL, SMTP or Temporal.
package account

import (
	"embed"
	"errors"
	"net/http"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/openid"
)

//go:embed all:templates
var templates embed.FS

// Rate limit for sign-ins with OpenID from one source, which may be an entire office.
const (
	openIDRate  = rate.Limit(0.5)
	openIDBurst = 60
)

// Pages serves the account pages.
type Pages struct {
	accounts *accounts.Service
	openid   *openid.Provider // nil: none
	tickets  tickets          // nil: tickets of disabled people are not handled
	staff    staff            // nil if tickets is
	limiter  *request.Sources // sign-ins elsewhere: each is stored until its browser comes back
}

// New returns the pages. o is nil without an OpenID provider. t and f are the tickets and the staff of the desk, or nil
// if the tickets of disabled people are not handled.
func New(s *accounts.Service, o *openid.Provider, t tickets, f staff) *Pages {
	return &Pages{accounts: s, openid: o, tickets: t, staff: f, limiter: request.NewSources(openIDRate, openIDBurst, request.MaxSources)}
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area { return page.NewArea("account", templates, p.routes()) }

// routes lists all routes of these pages.
func (p *Pages) routes() []page.Route {
	return []page.Route{
		page.Get("/sign-in", page.Anyone, p.showSignIn),
		page.Entrance("/sign-in", page.Form(p.signIn)),
		page.Entrance("/sign-in/link", page.Form(p.askLink)),
		page.Get("/sign-in/again", page.SignedIn, p.showAgain),
		page.Post("/sign-in/again", page.SignedIn, page.Form(p.signInAgain)),
		page.Get("/sign-in/sent", page.Anyone, p.showSent),
		page.Get("/sign-in/openid", page.Anyone, p.beginOpenID),
		page.Get("/sign-in/openid/callback", page.Anyone, p.finishOpenID),
		page.Entrance("/sign-out", p.signOut),

		page.Get("/link/:token", page.Anyone, p.showLink),
		page.Entrance("/link/:token", page.Form(p.useLink)),
		page.Get("/register", page.Anyone, p.showRegister),
		page.Entrance("/register", page.Form(p.register)),
		page.Get("/reset", page.Anyone, p.showReset),
		page.Entrance("/reset", page.Form(p.reset)),

		page.Get("/account", page.SignedIn, p.showAccount),
		page.Post("/account/name", page.SignedIn, page.Form(p.changeName)),
		page.Post("/account/signature", page.SignedIn, page.Form(p.changeSignature)),
		page.Post("/account/password", page.SignedIn, page.Form(p.changePassword)),
		page.Post("/account/addresses", page.SignedIn, page.Form(p.addAddress)),
		page.Post("/account/addresses/primary", page.SignedIn, page.Form(p.setPrimaryAddress)),
		page.Post("/account/addresses/removal", page.SignedIn, page.Form(p.removeAddress)),
		page.Post("/account/sign-out-everywhere", page.SignedIn, page.Form(p.signOutEverywhere)),
		page.Post("/account/tokens", page.SignedIn, page.Form(p.makeToken)),
		page.Post("/account/tokens/:id/revocation", page.SignedIn, p.revokeToken),

		page.Get("/people", page.Administrators, p.showPeople),
		page.Get("/people/events", page.Administrators, p.showEvents),
		page.Post("/people", page.Recently(page.Administrators, "/people"), page.Form(p.invite)),
		page.Post("/people/:id/role", page.Recently(page.Administrators, "/people"), page.Form(p.setRole)),
		page.Get("/people/:id/disable", page.Administrators, p.askDisable),
		page.Post("/people/:id/disable", page.Recently(page.Administrators, "/people"), page.Form(p.disable)),
		page.Post("/people/:id/enable", page.Recently(page.Administrators, "/people"), page.Form(p.enable)),
		page.Post("/people/:id/withdrawal", page.Recently(page.Administrators, "/people"), page.Form(p.uninvite)),
	}
}

// problems are the errors in a form: one message for the whole form, and one for each invalid field.
type problems struct {
	status int
	Whole  string
	Fields map[string]string
}

// Field returns the message for a field; empty if it is valid.
func (p problems) Field(name string) string { return p.Fields[name] }

// problemsOf converts an error into messages for the form. It returns false for an error that the person can't correct
// in the form.
func problemsOf(err error) (problems, bool) {
	f, ok := errors.AsType[*fault.Error](err)
	if !ok {
		return problems{}, false
	}
	p := problems{status: http.StatusUnprocessableEntity, Fields: page.FieldSentences(err, "")}
	switch f.Kind {
	case fault.Invalid:
		if p.Fields == nil {
			p.Whole = page.Sentence(f.Message)
		}
	case fault.Conflict, fault.Unauthenticated, fault.Forbidden:
		p.Whole = page.Sentence(f.Message)
	case fault.Limited:
		p.status, p.Whole = http.StatusTooManyRequests, page.Sentence(f.Message)
	default:
		return problems{}, false
	}
	return p, true
}
