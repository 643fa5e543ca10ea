// Package api implements the JSON API: its routes, the access rule of each, validation of requests, and responses,
// including problem details (RFC 9457). It also mounts the website's pages, which its sub-packages implement.
//
// It decides nothing about tickets; the use cases of internal/app do, behind the interfaces in Config. It must not know
// SQL, mail or Temporal.
package api

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/adapters/humagin"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

// prefix is the path of all API routes. It includes the API's version.
const prefix = "/api/v1"

// requestTime limits one request, including the wait for a command's outcome. If PostgreSQL or Temporal hangs, the
// client receives a 503 and the goroutine ends.
const requestTime = 5 * time.Second

type tickets interface {
	request.Acceptor
	request.TicketReader
	request.Tracker
	request.PolicyReader
}

// people returns the person whom a bearer token was issued to, or an Unauthenticated fault.
type people interface {
	ByToken(ctx context.Context, token string, writes bool) (desk.Person, error)
}

// Config configures the API. Desk and People must be set.
type Config struct {
	Desk   tickets
	People people

	Board       request.NoticeReader // nil: there are no notices
	Reports     reports              // nil: reports are NotFound
	Emergencies request.Emergencies  // nil: emergencies are Unavailable
	Policies    request.Policies     // nil: policy versions are NotFound

	Files request.Files // nil: files are Unavailable

	Relayed  Relayed               // mails that relays post; without a Receiver they are Unavailable
	Incoming request.IncomingMails // nil: incoming mails and blocked senders are Unavailable

	Accounts addresses // nil: addresses are Unavailable
	Contacts contacts  // nil: contacts are Unavailable

	Staffing staffing // groups, and who is away; nil: both are Unavailable

	Site  *page.Engine // serves the website; nil: there is no website
	Areas []page.Area  // the website's pages

	Ready          []Check      // checked by /readyz
	Workflows      workflows    // also shown by /readyz; nil: not shown
	Prefix         string       // of new ticket numbers; "HM" when empty
	Version        string       // of the program; shown by /healthz and in the OpenAPI document
	Contact        string       // email address for the OpenAPI document; may be empty
	TrustedProxies []string     // addresses or CIDRs whose X-Forwarded-For and X-Request-ID are trusted; none by default
	Requests       Requests     // nil: requests are not observed
	Log            *slog.Logger // nil: slog.Default
}

// Requests observes requests, for metrics and traces.
type Requests interface {
	// Begin observes the beginning of a request, by its route rather than its path; the route is empty if it matches none. A
	// trace that the request names is to be continued if its sender is trusted. It returns the request's context and the
	// function that observes the end of its response, which may be a stream of events. If the response was cut, its status is 500,
	// or 499 if its client was gone.
	Begin(r *http.Request, id, route string, trusted bool) (ctx context.Context, end func(status int, stream bool))
}

// Check is a readiness check of one dependency.
type Check struct {
	Name     string // in lower case, such as "postgresql"
	Ask      func(context.Context) error
	Optional bool // the process works without it, if more slowly: a failure is shown, but does not cause a 503
}

// server holds what the handlers share.
type server struct {
	Config
	log      *slog.Logger
	sources  *request.Sources
	origins  *http.CrossOriginProtection
	proxies  proxies
	arriving chan struct{} // has a value for each mail that is being received
	schemas  huma.Registry // of the document
	document []byte        // OpenAPI, as JSON
}

// New returns the handler of the API and, if configured, the website. It sets gin's release mode, which is global to
// the process. Connection time-outs are left to the caller's http.Server.
func New(config Config) (http.Handler, error) {
	if config.Desk == nil || config.People == nil {
		return nil, errors.New("make the API: a desk and people are needed")
	}
	s := &server{Config: config, log: config.Log, sources: request.NewSources(request.TrackRate, request.TrackBurst, request.MaxSources), arriving: make(chan struct{}, maxArriving), origins: http.NewCrossOriginProtection()}
	if s.log == nil {
		s.log = slog.Default()
	}
	if s.Prefix == "" {
		s.Prefix = "HM"
	}
	gin.SetMode(gin.ReleaseMode)
	engine := gin.New()
	engine.HandleMethodNotAllowed = true
	engine.RedirectTrailingSlash = false
	var err error
	if s.proxies, err = trustProxies(engine, config.TrustedProxies); err != nil {
		return nil, fmt.Errorf("make the API: %w", err)
	}
	engine.Use(s.observe, s.sameOrigin)
	engine.NoRoute(func(c *gin.Context) {
		s.noRoute(c, http.StatusNotFound, "there is nothing at this address", "there is no page at this address")
	})
	engine.NoMethod(func(c *gin.Context) {
		s.noRoute(c, http.StatusMethodNotAllowed, "this address does not support that method", "the page at this address does not support that method")
	})
	if err := s.mount(engine); err != nil {
		return nil, fmt.Errorf("make the API: %w", err)
	}
	handler := headAsGet(engine)
	if s.Site == nil {
		return handler, nil
	}
	if handler, err = compress(handler); err != nil {
		return nil, fmt.Errorf("make the API: %w", err)
	}
	return handler, nil
}

// mount registers every route and renders the OpenAPI document.
func (s *server) mount(engine *gin.Engine) error {
	api := humagin.NewWithGroup(engine, engine.Group(prefix), s.description())
	s.schemas = api.OpenAPI().Components.Schemas
	for _, r := range routes() {
		op, err := s.operation(api, r)
		if err != nil {
			return err
		}
		r.bind(s, api, op)
	}
	document, err := render(api.OpenAPI())
	if err != nil {
		return err
	}
	s.document = document
	engine.GET("/api/openapi.json", s.serveDocument)
	if s.Site != nil {
		if err := s.Site.Mount(engine, s.Areas...); err != nil {
			return err
		}
	}
	health{version: s.Version, checks: s.Ready, workflows: s.Workflows, log: s.log}.mount(engine)
	return nil
}

// noRoute responds to a request that matches no route or no method of one.
func (s *server) noRoute(c *gin.Context, status int, why, ofPage string) {
	if s.isPage(c) {
		s.Site.Fail(c, fault.New(fault.NotFound, "%s", ofPage))
		return
	}
	s.refuse(c, newProblem(status, why))
}

// respondError responds to a request that failed outside of a handler: with an error page on the website, with a
// problem on the API.
func (s *server) respondError(c *gin.Context, err error) {
	if s.isPage(c) {
		s.Site.Fail(c, err)
		c.Abort()
		return
	}
	s.fail(c, err)
}

func (s *server) isPage(c *gin.Context) bool { return s.Site != nil && !isAPI(c.Request.URL.Path) }

func isAPI(path string) bool { return path == "/api" || strings.HasPrefix(path, "/api/") }

// sameOrigin rejects cross-origin requests by browsers, which could forge a command in the visitor's name. Clients that
// are not browsers send none of the headers that it checks.
func (s *server) sameOrigin(c *gin.Context) {
	if err := s.origins.Check(c.Request); err != nil {
		s.respondError(c, fault.Wrap(err, fault.Forbidden, "the request came from another site's page"))
	}
}

// headAsGet routes HEAD requests as GET, which gin does not do by itself. net/http discards the body.
func headAsGet(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodHead {
			asGet := *r
			asGet.Method = http.MethodGet
			r = &asGet
		}
		next.ServeHTTP(w, r)
	})
}

// description returns huma's configuration: JSON only, no documentation page, no schema links, and no handlers of its
// own. (Its OpenAPI handler renders on the first request, without a lock.)
func (s *server) description() huma.Config {
	jsonOnly := huma.Format{Marshal: huma.DefaultJSONFormat.Marshal, Unmarshal: huma.DefaultJSONFormat.Unmarshal}
	info := &huma.Info{
		Title:       "Supportdesk",
		Version:     s.Version,
		Description: "Support tickets with targets for the first response and the resolution. Instants are in RFC 3339 and UTC, durations in seconds.",
	}
	if s.Contact != "" {
		info.Contact = &huma.Contact{Email: s.Contact}
	}
	return huma.Config{
		OpenAPI: &huma.OpenAPI{
			OpenAPI: "3.1.0",
			Info:    info,
			Servers: []*huma.Server{{URL: prefix}},
			Components: &huma.Components{
				Schemas: huma.NewMapRegistry("#/components/schemas/", huma.DefaultSchemaNamer),
				SecuritySchemes: map[string]*huma.SecurityScheme{
					bearer:    {Type: "http", Scheme: "bearer", Description: "A personal API token."},
					"session": {Type: "apiKey", In: "cookie", Name: "session", Description: "The session cookie of the website; over HTTPS its name is __Host-session."},
				},
			},
		},
		// The second key is where huma looks for application/problem+json.
		Formats:                      map[string]huma.Format{mediaJSON: jsonOnly, "json": jsonOnly},
		DefaultFormat:                mediaJSON,
		RejectUnknownQueryParameters: true,
		Transformers:                 []huma.Transformer{translate},
	}
}
