package page_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/request"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// site is a website with one area, and a browser's client.
type site struct {
	t      *testing.T
	server *httptest.Server
	client *http.Client
	stop   chan struct{}
	engine *page.Engine
	ticks  chan string // events that the stream sends

	mu       sync.Mutex
	declared []desk.Emergency
	epoch    int64
	away     error // error of the database
	forms    []url.Values
	keys     []desk.IdempotencyKey
	people   map[ticket.PersonID]desk.Person
}

// sessions adapts scs's store in memory to the interface with contexts. It fails while the database is away.
type sessions struct {
	*memstore.MemStore
	site *site
}

func (s sessions) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	data, found, _ := s.Find(token)
	return data, found, s.site.down()
}

func (s sessions) CommitCtx(_ context.Context, token string, data []byte, expires time.Time) error {
	_ = s.Commit(token, data, expires)
	return s.site.down()
}

func (s sessions) DeleteCtx(_ context.Context, token string) error { return s.Delete(token) }

func (s *site) down() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.away
}

func (s *site) BySession(_ context.Context, id ticket.PersonID, epoch int64) (desk.Person, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if p, known := s.people[id]; known && epoch == s.epoch {
		return p, nil
	}
	return desk.Person{}, fault.New(fault.Unauthenticated, "that session has ended")
}

func (s *site) PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error) {
	return 1, policy.Default(), nil, s.down()
}

var people = map[ticket.PersonID]desk.Person{
	"customer":      {ID: "customer", Role: ticket.RoleCustomer, Name: "Demo Customer"},
	"agent":         {ID: "agent", Role: ticket.RoleAgent, Name: "Demo Agent"},
	"supervisor":    {ID: "supervisor", Role: ticket.RoleSupervisor, Name: "Demo Supervisor"},
	"administrator": {ID: "administrator", Role: ticket.RoleAdministrator, Name: "Demo Administrator"},
}

var templates = fstest.MapFS{
	"_shared.html": {Data: []byte(`{{define "who"}}{{with .Person.Name}}{{.}}{{else}}a visitor{{end}}{{end}}`)},
	"plain.html": {Data: []byte(`{{define "main"}}<h1>Plain</h1><p id="who">{{template "who" .}}</p>
{{.When .At}} {{.Left .At}}{{template "part" .}}{{end}}{{define "part"}}<p id="part">part</p>{{end}}`)},
}

type plainView struct {
	page.Layout
	At time.Time
}

var at = time.Date(2026, time.December, 3, 11, 0, 0, 0, time.UTC)

func plain(v *page.Visit) error {
	view := plainView{v.Layout("Plain", "/desk"), at}
	if v.Partial() {
		return v.Fragment("plain", "part", view)
	}
	return v.Show("plain", view)
}

func open(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, people: people, stop: make(chan struct{}), ticks: make(chan string, 4)}
	engine, err := page.New(page.Config{Sessions: sessions{memstore.NewWithCleanupInterval(0), s}, People: s, Policies: s, Board: app.NewNoticeBoard(s), Stopping: s.stop})
	if err != nil {
		t.Fatal(err)
	}
	s.engine = engine
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.Use(func(c *gin.Context) {
		info := &request.Info{ID: "REQUEST", Source: "192.0.2.1", Connection: c.Request.Context()}
		ctx, cancel := context.WithTimeout(request.With(c.Request.Context(), info), 100*time.Millisecond)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	})
	if err := engine.Mount(router, page.Area{Name: "test", Templates: templates, Routes: s.routes()}); err != nil {
		t.Fatal(err)
	}
	s.server = httptest.NewServer(router)
	t.Cleanup(s.server.Close)
	s.client = s.browser()
	return s
}

func (s *site) browser() *http.Client {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
}

func (s *site) routes() []page.Route {
	secret := errors.New("secret cause")
	return []page.Route{
		page.Get("/anyone", page.Anyone, plain), page.Get("/signed-in", page.SignedIn, plain),
		page.Get("/customers", page.Customers, plain), page.Get("/staff", page.Staff, plain),
		page.Get("/supervisors", page.Supervisors, plain), page.Get("/administrators", page.Administrators, plain),
		page.Post("/staff", page.Staff, plain),
		page.Get("/as/:id", page.Anyone, func(v *page.Visit) error {
			if err := v.Session.SignIn(people[ticket.PersonID(v.Param("id"))], s.epoch, time.Now()); err != nil {
				return err
			}
			v.Flash("Welcome <%s>", v.Param("id"))
			return v.Redirect("/anyone")
		}),
		page.Post("/out", page.Anyone, func(v *page.Visit) error {
			if err := v.Session.SignOut(); err != nil {
				return err
			}
			return v.Redirect("/anyone")
		}),
		page.Post("/form", page.Anyone, func(v *page.Visit) error {
			form, err := v.Form()
			if err == nil {
				s.forms, s.keys = append(s.forms, form), append(s.keys, v.IdempotencyKey())
				err = v.Nothing()
			}
			return err
		}),
		page.Get("/grant/:number", page.Anyone, func(v *page.Visit) error {
			if err := v.Session.Grant(ticket.Number(v.Param("number")), "customer", s.epoch, time.Now().Add(time.Hour)); err != nil {
				return err
			}
			return v.Nothing()
		}),
		page.Get("/granted/:number", page.Anyone, func(v *page.Visit) error {
			p, err := v.Session.Granted(ticket.Number(v.Param("number")))
			if err == nil {
				err = v.File("text/plain", "who.txt", []byte(p.ID))
			}
			return err
		}),
		page.Get("/broken", page.Anyone, func(*page.Visit) error { return secret }),
		page.Get("/often", page.Anyone, func(*page.Visit) error { return fault.New(fault.Limited, "that was often") }),
		page.Get("/conflict", page.Anyone, func(*page.Visit) error { return fault.NewConflict("taken", "another <person> has it") }),
		page.Get("/ticks", page.SignedIn, s.tick),
		page.Get("/granted-ticks/:number", page.Anyone, func(v *page.Visit) error {
			if _, err := v.Session.Granted(ticket.Number(v.Param("number"))); err != nil {
				return err
			}
			return s.tick(v)
		}),
		page.Get("/stream", page.Anyone, func(v *page.Visit) error {
			return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
				<-v.Context().Done() // the request's own limit is over, and the stream goes on
				if err := send("changed", "two\nlines"); err != nil {
					return err
				}
				<-ctx.Done()
				select {
				case <-s.stop:
					return nil
				default:
					return send("cut", "by something else")
				}
			})
		}),
	}
}

// tick streams the events of ticks.
func (s *site) tick(v *page.Visit) error {
	return v.Stream(func(ctx context.Context, send func(event, data string) error) error {
		for {
			select {
			case <-ctx.Done():
				return nil
			case word, more := <-s.ticks:
				if !more {
					return nil
				}
				if err := send("tick", word); err != nil {
					return err
				}
			}
		}
	})
}

type answer struct {
	*http.Response
	body string
}

func (s *site) do(method, path, body string, header ...string) answer {
	s.t.Helper()
	r, err := http.NewRequestWithContext(s.t.Context(), method, s.server.URL+path, strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := s.client.Do(r)
	if err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	return answer{response, string(text)}
}

func (s *site) get(path string, header ...string) answer {
	return s.do(http.MethodGet, path, "", header...)
}

func (s *site) as(role string) {
	s.t.Helper()
	if a := s.get("/as/" + role); a.StatusCode != http.StatusSeeOther {
		s.t.Fatalf("sign in: %d %s", a.StatusCode, a.body)
	}
}
