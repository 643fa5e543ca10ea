package account

import (
	"context"
	"embed"
	"io/fs"
	"net/url"

	"golang.org/x/time/rate"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/openid"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed templates/*.html
var templates embed.FS

// signIns authenticates people.
type signIns interface {
	SignIn(ctx context.Context, from accounts.Browser, address, password string) (accounts.Authenticated, error)
	RequestLink(ctx context.Context, from accounts.Browser, address string) error
	RequestReset(ctx context.Context, from accounts.Browser, address string) error
	Register(ctx context.Context, source, name, address string) error
	Open(ctx context.Context, token string) (accounts.Link, error)
	Use(ctx context.Context, token, name, password string, tokens accounts.Tokens) (accounts.LinkResult, error)
	SignInWithIdentity(ctx context.Context, i accounts.Identity) (accounts.Authenticated, error)
	Reauthenticate(ctx context.Context, source string, who desk.Person, password string) (accounts.Authenticated, error)
	Device(ctx context.Context, address string) (string, error)
	SignedOut(ctx context.Context, who desk.Person) error
}

// profile manages a person's own account.
type profile interface {
	Profile(ctx context.Context, who desk.Person) (accounts.Profile, error)
	ChangeName(ctx context.Context, who desk.Person, name string) error
	ChangePassword(ctx context.Context, source string, who desk.Person, proof accounts.Proof, password string, tokens accounts.Tokens) (accounts.Authenticated, error)
	ChangeAddress(ctx context.Context, source string, who desk.Person, proof accounts.Proof, address string) error
	SignOutEverywhere(ctx context.Context, who desk.Person, tokens accounts.Tokens) (accounts.Authenticated, error)
	Tokens(ctx context.Context, who desk.Person) ([]accounts.Token, error)
	CreateToken(ctx context.Context, source string, who desk.Person, proof accounts.Proof, once, label string, writes bool) (string, error)
	RevokeToken(ctx context.Context, who desk.Person, token int64) error
}

// members manages accounts, for administrators.
type members interface {
	Member(ctx context.Context, by desk.Person, id ticket.PersonID) (accounts.Member, error)
	Members(ctx context.Context, by desk.Person, f accounts.MemberFilter) (list []accounts.Member, more bool, err error)
	Invitations(ctx context.Context, by desk.Person) ([]accounts.PendingInvitation, error)
	Invite(ctx context.Context, by desk.Person, invitedPerson desk.Person) error
	WithdrawInvitation(ctx context.Context, by desk.Person, linkID string) error
	SetRole(ctx context.Context, by desk.Person, id ticket.PersonID, role ticket.Role) error
	Disable(ctx context.Context, by desk.Person, id ticket.PersonID) error
	Enable(ctx context.Context, by desk.Person, id ticket.PersonID) error
	Events(ctx context.Context, by desk.Person, f accounts.EventFilter) (list []accounts.EventRecord, more bool, err error)
}

// service is implemented by internal/account.Service.
type service interface {
	signIns
	profile
	members
}

// provider is an OpenID provider for staff.
type provider interface {
	Name() string
	Begin(ctx context.Context, again bool) (to string, a openid.Attempt, err error)
	Finish(ctx context.Context, a openid.Attempt, answer url.Values) (accounts.Identity, error)
}

// Rate limit for sign-ins with OpenID from one source, which may be an entire office.
const (
	openIDRate  = rate.Limit(0.5)
	openIDBurst = 60
)

// Pages serves the account pages.
type Pages struct {
	accounts service
	openid   provider
	tickets  tickets          // nil: tickets of disabled people are not handled
	staff    staff            // nil if tickets is
	limiter  *request.Sources // sign-ins elsewhere: each is stored until its browser comes back
}

// New returns the pages. o is nil without an OpenID provider. t and f are the tickets and the staff of the desk, or nil
// if the tickets of disabled people are not handled.
func New(s service, o *openid.Provider, t tickets, f staff) *Pages {
	p := &Pages{accounts: s, tickets: t, staff: f, limiter: request.NewSources(openIDRate, openIDBurst, request.MaxSources)}
	if o != nil {
		p.openid = o
	}
	return p
}

// Area returns the area of these pages.
func (p *Pages) Area() page.Area {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "account", Templates: files, Routes: p.routes()}
}
