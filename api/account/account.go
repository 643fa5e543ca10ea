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

// entrance is how people come in.
type entrance interface {
	SignIn(ctx context.Context, from accounts.Browser, address, password string) (accounts.Entry, error)
	AskLink(ctx context.Context, from accounts.Browser, address string) error
	AskReset(ctx context.Context, from accounts.Browser, address string) error
	Register(ctx context.Context, source, name, address string) error
	Open(ctx context.Context, token string) (accounts.Link, error)
	Use(ctx context.Context, token, name, password string, tokens accounts.Tokens) (accounts.Used, error)
	ByIdentity(ctx context.Context, i accounts.Identity) (accounts.Entry, error)
	SignInAgain(ctx context.Context, source string, who desk.Person, password string) (accounts.Entry, error)
	Device(ctx context.Context, address string) (string, error)
	SignedOut(ctx context.Context, who desk.Person) error
}

// profile is a person's own account.
type profile interface {
	Profile(ctx context.Context, who desk.Person) (accounts.Profile, error)
	ChangeName(ctx context.Context, who desk.Person, name string) error
	ChangePassword(ctx context.Context, source string, who desk.Person, proof accounts.Proof, password string, tokens accounts.Tokens) (accounts.Entry, error)
	ChangeAddress(ctx context.Context, source string, who desk.Person, proof accounts.Proof, address string) error
	SignOutEverywhere(ctx context.Context, who desk.Person, tokens accounts.Tokens) (accounts.Entry, error)
	Tokens(ctx context.Context, who desk.Person) ([]accounts.Token, error)
	MakeToken(ctx context.Context, source string, who desk.Person, proof accounts.Proof, once, label string, writes bool) (string, error)
	RevokeToken(ctx context.Context, who desk.Person, token int64) error
}

// office is everybody's account, for administrators.
type office interface {
	Member(ctx context.Context, by desk.Person, id ticket.PersonID) (accounts.Member, error)
	Members(ctx context.Context, by desk.Person, f accounts.MemberFilter) (list []accounts.Member, more bool, err error)
	Invitations(ctx context.Context, by desk.Person) ([]accounts.Invited, error)
	Invite(ctx context.Context, by desk.Person, newcomer desk.Person) error
	Uninvite(ctx context.Context, by desk.Person, linkID string) error
	SetRole(ctx context.Context, by desk.Person, id ticket.PersonID, role ticket.Role) error
	Disable(ctx context.Context, by desk.Person, id ticket.PersonID) error
	Enable(ctx context.Context, by desk.Person, id ticket.PersonID) error
	Events(ctx context.Context, by desk.Person, f accounts.EventFilter) (list []accounts.Recorded, more bool, err error)
}

// service is internal/account's.
type service interface {
	entrance
	profile
	office
}

// provider is where staff may sign in instead of here.
type provider interface {
	Name() string
	Begin(ctx context.Context, again bool) (to string, a openid.Attempt, err error)
	Finish(ctx context.Context, a openid.Attempt, answer url.Values) (accounts.Identity, error)
}

// How often one source, which may be a whole office, may begin to sign in elsewhere: by the second, and at once.
const (
	beginRate  = rate.Limit(0.5)
	beginBurst = 60
)

// Pages are the pages of accounts.
type Pages struct {
	accounts  service
	openid    provider
	tickets   tickets          // nil: those of somebody who is disabled stay as they are
	staffing  staffing         // nil with tickets
	beginning *request.Sources // sign-ins elsewhere: each is kept until its browser comes back
}

// New makes the pages. o is nil when no OpenID provider is configured. t and f are the desk's tickets and its staff, or nil
// where nothing is done with the tickets of who is disabled.
func New(s service, o *openid.Provider, t tickets, f staffing) *Pages {
	p := &Pages{accounts: s, tickets: t, staffing: f, beginning: request.NewSources(beginRate, beginBurst, request.MaxSources)}
	if o != nil {
		p.openid = o
	}
	return p
}

// Area gives the pages to the engine.
func (p *Pages) Area() page.Area {
	files, err := fs.Sub(templates, "templates")
	if err != nil {
		panic(err) // the directory is embedded above
	}
	return page.Area{Name: "account", Templates: files, Routes: p.routes()}
}
