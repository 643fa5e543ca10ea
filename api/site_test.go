package api_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/alexedwards/scs/v2/memstore"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// memoryStore adapts scs.MemStore to the interface with contexts.
type memoryStore struct{ *memstore.MemStore }

func (m memoryStore) FindCtx(_ context.Context, token string) ([]byte, bool, error) {
	return m.Find(token)
}
func (m memoryStore) DeleteCtx(_ context.Context, token string) error { return m.Delete(token) }
func (m memoryStore) CommitCtx(_ context.Context, token string, data []byte, expires time.Time) error {
	return m.Commit(token, data, expires)
}

// stubPeople knows the sessions of all people but those of epoch 1, which have ended.
type stubPeople struct{}

func (stubPeople) BySession(_ context.Context, id ticket.PersonID, epoch int64) (desk.Person, error) {
	for _, p := range people {
		if p.ID == id && epoch == 2 {
			return p, nil
		}
	}
	return desk.Person{}, fault.New(fault.Unauthenticated, "that session has ended")
}

// withSite adds a website on which a path signs in the person whom it names.
func withSite(t *testing.T, s *scripted, change ...func(*page.Config)) func(*api.Config) {
	t.Helper()
	config := page.Config{Sessions: memoryStore{memstore.NewWithCleanupInterval(0)}, People: stubPeople{}, Policies: s}
	for _, c := range change {
		c(&config)
	}
	engine, err := page.New(config)
	if err != nil {
		t.Fatal(err)
	}
	signIn := func(epoch int64) func(*page.Visit) error {
		return func(v *page.Visit) error {
			if err := v.Session.SignIn(people[v.Param("token")], epoch, time.Now()); err != nil {
				return err
			}
			return v.Nothing()
		}
	}
	return func(c *api.Config) {
		c.Site = engine
		c.Areas = []page.Area{{Name: "test", Templates: fstest.MapFS{}, Routes: []page.Route{
			page.Get("/as/:token", page.Anyone, signIn(2)),
			page.Get("/ended/:token", page.Anyone, signIn(1)),
			page.Get("/panic", page.Anyone, func(*page.Visit) error { panic(errors.New("secret cause")) }),
		}}}
	}
}

// page sends a request as a browser does, with a cookie, and checks nothing.
func browse(h http.Handler, method, path, cookie string, header ...string) *httptest.ResponseRecorder {
	r := httptest.NewRequest(method, path, strings.NewReader(`{"body": "words"}`))
	r.Header.Set("Content-Type", "application/json")
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

func cookieOf(t *testing.T, h http.Handler, path string) string {
	t.Helper()
	cookie, _, _ := strings.Cut(browse(h, "GET", path, "").Header().Get("Set-Cookie"), ";")
	if cookie == "" {
		t.Fatalf("%s gives no session", path)
	}
	return cookie
}

func TestSession_letsInAsATokenDoes(t *testing.T) {
	s := &scripted{}
	h, log := serve(t, s, withSite(t, s))
	customer, agent := cookieOf(t, h, "/as/customer"), cookieOf(t, h, "/as/agent")
	const ticket, note = "/api/v1/tickets/" + someNumber, "/api/v1/tickets/" + someNumber + "/notes"
	for name, c := range map[string]struct {
		method, path, cookie string
		header               []string
		want                 int
	}{
		"a customer reads":                      {"GET", ticket, customer, nil, 200},
		"a visitor reads":                       {"GET", ticket, "", nil, 401},
		"a made-up session":                     {"GET", ticket, "session=made-up", nil, 401},
		"a session that was ended":              {"GET", ticket, cookieOf(t, h, "/ended/customer"), nil, 401},
		"an agent's note":                       {"POST", note, agent, nil, 200},
		"a customer's note":                     {"POST", note, customer, nil, 403},
		"a bad token beside a good session":     {"POST", note, agent, []string{"Authorization", "Bearer nobody"}, 401},
		"a customer's token, an agent's cookie": {"POST", note, agent, []string{"Authorization", "Bearer customer"}, 403},
		"another site's page":                   {"POST", note, agent, []string{"Sec-Fetch-Site", "cross-site"}, 403},
		"another site's page, old browser":      {"POST", note, agent, []string{"Origin", "https://evil.example"}, 403},
		"the site's own page":                   {"POST", note, agent, []string{"Sec-Fetch-Site", "same-origin"}, 200},
	} {
		before := len(s.requested)
		a := browse(h, c.method, c.path, c.cookie, c.header...)
		if a.Code != c.want || c.want >= 400 && len(s.requested) != before {
			t.Errorf("%s: %d, want %d; %d commands: %s", name, a.Code, c.want, len(s.requested)-before, a.Body)
		}
	}
	for _, path := range []string{"/c/SECRET", "/c/SECRET/", "//c/SECRET/more", "/C/SECRET", "/link/SECRET", "/link/SECRET/x", "/e/SECRET", "/e/SECRET/x"} {
		browse(h, "GET", path, "")
		browse(h, "POST", path, "")
	}
	if strings.Contains(log.String(), "SECRET") {
		t.Errorf("the log has a link's secret: %s", log)
	}
	if strings.Contains(log.String(), "/as/customer") {
		t.Error("the log has the secret part of a path")
	}
}

func TestSite_answersWithPagesAndTheAPIWithProblems(t *testing.T) {
	s := &scripted{}
	h, log := serve(t, s, withSite(t, s))
	for path, c := range map[string]struct {
		status int
		media  string
		says   string
	}{
		"/nothing":     {404, "text/html; charset=utf-8", "<p>There is no page at this address.</p>"},
		"/api/nothing": {404, "application/problem+json", `"there is nothing at this address"`},
		"/panic":       {500, "text/html; charset=utf-8", "<h1>"},
	} {
		a := browse(h, "GET", path, "")
		if a.Code != c.status || a.Header().Get("Content-Type") != c.media ||
			strings.Contains(a.Body.String(), "secret") || !strings.Contains(a.Body.String(), c.says) {
			t.Errorf("%s: %d %s %s", path, a.Code, a.Header().Get("Content-Type"), a.Body)
		}
	}
	if !strings.Contains(log.String(), "secret cause") {
		t.Error("the log lacks the cause of a panic")
	}
	if a := browse(h, "POST", "/as/agent", "", "Origin", "https://evil.example"); a.Code != 403 || !strings.Contains(a.Body.String(), "<h1>") {
		t.Errorf("another site's form is answered %d %s", a.Code, a.Body)
	}
}

// TestTransport_isStrictOverHTTPS: a browser that has been here over HTTPS never tries without it, whatever it was
// answered: a page, JSON, a problem or nothing at all. Over HTTP it must not be sent.
func TestTransport_isStrictOverHTTPS(t *testing.T) {
	for secure, want := range map[bool]string{true: "max-age=31536000", false: ""} {
		s := &scripted{}
		h, _ := serve(t, s, withSite(t, s, func(c *page.Config) { c.Secure = secure }))
		for _, path := range []string{"/as/agent", "/nowhere", "/panic", "/api/v1/policy", "/api/v1/tickets", "/healthz", "/static/icon.svg"} {
			if got := browse(h, "GET", path, "").Header().Get("Strict-Transport-Security"); got != want {
				t.Errorf("secure %t, %s: %q", secure, path, got)
			}
		}
	}
}
