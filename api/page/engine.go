// Package page is the engine of the website: sessions, time zones, the layout, template sets that are checked at start,
// static files, forms, error pages and event streams. Each audience has its own package (account, portal, panel,
// supervision), which defines an Area: templates and a table of routes. Package page must not know the rules of tickets,
// SQL or Temporal.
package page

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/alexedwards/scs/v2"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// lifetime is how long a browser stays signed in.
const lifetime = 14 * 24 * time.Hour

type people interface {
	// BySession returns the person whom a session belongs to, or an Unauthenticated fault.
	BySession(ctx context.Context, id ticket.PersonID, epoch int64) (desk.Person, error)
}

// noticeReader reads notices and emergencies.
type noticeReader interface {
	request.NoticeReader
	Past(ctx context.Context, since time.Time) ([]desk.Emergency, error)
	Named(context.Context) (map[ticket.EmergencyID]desk.Emergency, error)
}

// Config configures the engine. Sessions, People and Policies must be set.
type Config struct {
	Sessions scs.CtxStore
	People   people
	Policies request.PolicyReader
	Board    noticeReader // nil: there are no notices
	Forms    formStore    // nil: forms that are sent after a session has ended are lost

	Name       string          // of the site; "Support" when empty
	Prefix     string          // of new tickets' numbers; "HM" when empty
	Secure     bool            // cookies travel over HTTPS only
	TemporalUI string          // address of Temporal UI with its namespace, such as http://…/namespaces/default; empty: no links
	Mailbox    string          // address of the page that shows all emails, in up; empty: emails are really sent
	Stopping   <-chan struct{} // closed when the server stops: streams end then; nil: never
	Log        *slog.Logger    // nil: slog.Default
}

// Engine serves the pages of all areas.
type Engine struct {
	Config
	sessions *scs.SessionManager
	assets   *assets
	errors   *set // the error page
	policy   atomic.Pointer[policy.Policy]
	sets     map[string]*set // by area
	streams  streams

	sessionCheckInterval time.Duration // how often a stream checks its session
}

// New returns an engine. It loads the static files and parses the engine's own templates.
func New(config Config) (*Engine, error) {
	if config.Sessions == nil || config.People == nil || config.Policies == nil {
		return nil, errors.New("make the pages: sessions, people and policies are needed")
	}
	if config.Log == nil {
		config.Log = slog.Default()
	}
	if config.Name == "" {
		config.Name = "Support"
	}
	if config.Prefix == "" {
		config.Prefix = "HM"
	}
	e := &Engine{Config: config, sessions: newSessions(config), sets: map[string]*set{}, sessionCheckInterval: sessionCheckInterval}
	var err error
	if e.assets, err = readAssets(); err != nil {
		return nil, err
	}
	e.errors, err = e.parse(ownTemplates())
	return e, err
}

// Mount registers the static files and every area's routes. It returns an error for a template that can't be parsed or a
// route without an access rule.
func (e *Engine) Mount(engine *gin.Engine, areas ...Area) error {
	engine.GET("/static/*file", e.static)
	for _, a := range areas {
		set, err := e.parse(a.Templates)
		if err != nil {
			return fmt.Errorf("area %s: %w", a.Name, err)
		}
		e.sets[a.Name] = set
		for _, r := range a.Routes {
			if err := r.check(); err != nil {
				return fmt.Errorf("area %s: %w", a.Name, err)
			}
			engine.Handle(r.Method, r.Path, e.handler(set, r))
		}
	}
	return nil
}

func (e *Engine) handler(set *set, r Route) gin.HandlerFunc {
	return func(c *gin.Context) {
		v := e.visit(c, set)
		v.takesFiles = r.Files
		defer func() {
			if v.parts != nil {
				v.parts.Drain() // of a form that was refused before its files were read
			}
			if v.end != nil {
				v.end()
			}
		}()
		err := v.authenticate()
		if err == nil {
			err = r.Access.check(v)
		}
		if err == nil && !r.Entrance {
			err = v.sameWriter()
		}
		switch {
		case err != nil:
		case r.Access.form != "" && !v.Session.Recent():
			err = v.SignInAgain(r.Access.form)
		default:
			err = r.Handle(v)
		}
		if err != nil {
			v.fail(err)
		}
	}
}

// Fail responds with an error page to a request that matched no route or failed outside of a handler.
func (e *Engine) Fail(c *gin.Context, err error) {
	v := e.visit(c, e.errors)
	if lost := v.authenticate(); lost != nil {
		e.Log.WarnContext(c.Request.Context(), "error page without a session", "error", lost)
	}
	v.fail(err)
}

// currentPolicy returns the policy in force for the layout. While the database is unavailable it returns the last one
// that was read; nil if there is none.
func (e *Engine) currentPolicy(ctx context.Context) *policy.Policy {
	_, p, _, err := e.Policies.PolicyInForce(ctx)
	if err != nil {
		return e.policy.Load()
	}
	e.policy.Store(p)
	return p
}

func (e *Engine) visit(c *gin.Context, set *set) *Visit {
	return &Visit{engine: e, set: set, gin: c, info: request.Of(c.Request.Context())}
}

// authenticate loads the session and sets the visit's person.
func (v *Visit) authenticate() error {
	v.setHeaders()
	v.policy = v.engine.currentPolicy(v.Context())
	v.Zone = v.zone()
	v.Session = &Session{visit: v}
	if err := v.Session.load(); err != nil {
		return err
	}
	person, err := v.Session.person()
	if fault.KindOf(err) == fault.Unauthenticated {
		return v.Session.end() // the session was ended elsewhere or the person disabled: continue as a visitor
	}
	v.Person = person
	v.info.Person = person
	return err
}

// Identify returns the person whose session a request's cookie names, or the zero Person without one. It returns an
// Unauthenticated fault if their session was ended.
func (e *Engine) Identify(r *http.Request) (desk.Person, error) {
	cookie, err := r.Cookie(e.sessions.Cookie.Name)
	if err != nil {
		return desk.Person{}, nil //nolint:nilerr // no cookie, no person
	}
	ctx, err := e.sessions.Load(r.Context(), cookie.Value)
	if err != nil {
		return desk.Person{}, fmt.Errorf("load the session: %w", err)
	}
	id := e.sessions.GetString(ctx, keyPerson)
	if id == "" {
		return desk.Person{}, nil
	}
	return e.People.BySession(ctx, ticket.PersonID(id), e.sessions.GetInt64(ctx, keyEpoch))
}

// contentPolicy is the Content-Security-Policy: scripts and styles of this server only, nothing inline.
const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"

func (v *Visit) setHeaders() {
	h := v.gin.Writer.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("Referrer-Policy", "same-origin") // cross-origin checks of older browsers need it within the site
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Vary", "Accept-Encoding, Cookie, HX-Request")
}

// zone returns the viewer's time zone, which a script sets in a cookie, or else the policy's.
func (v *Visit) zone() *time.Location {
	if cookie, err := v.gin.Request.Cookie("tz"); err == nil && !strings.EqualFold(cookie.Value, "local") && cookie.Value != "" {
		if zone, err := time.LoadLocation(cookie.Value); err == nil {
			return zone
		}
	}
	if v.policy != nil {
		return v.policy.Zone
	}
	return time.UTC
}

// cookieName returns the name of a cookie, over HTTPS with the prefix __Host-: browsers then accept it from this host
// and over HTTPS only.
func (c Config) cookieName(name string) string {
	if c.Secure {
		return "__Host-" + name
	}
	return name
}

func newSessions(config Config) *scs.SessionManager {
	m := scs.New()
	m.Lifetime = lifetime
	m.Store = config.Sessions
	m.HashTokenInStore = true
	m.Cookie.Name = config.cookieName("session")
	m.Cookie.Secure = config.Secure
	m.Cookie.SameSite = http.SameSiteLaxMode
	return m
}
