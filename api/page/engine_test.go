package page_test

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/alexedwards/scs/v2/memstore"
	"github.com/gin-gonic/gin"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pagetest"
)

func TestAccess_letsInWhoTheRuleNames(t *testing.T) {
	s := open(t)
	for _, c := range []struct{ who, pages string }{
		{"", "anyone"},
		{"customer", "anyone signed-in customers"},
		{"agent", "anyone signed-in staff"},
		{"supervisor", "anyone signed-in staff supervisors"},
		{"administrator", "anyone signed-in staff supervisors administrators"},
	} {
		s.client = s.browser()
		refused := http.StatusSeeOther
		if c.who != "" {
			s.as(c.who)
			refused = http.StatusForbidden
		}
		for _, path := range strings.Fields("anyone signed-in customers staff supervisors administrators") {
			want := refused
			if strings.Contains(" "+c.pages+" ", " "+path+" ") {
				want = http.StatusOK
			}
			if a := s.get("/" + path); a.StatusCode != want {
				t.Errorf("%q asks for %s: %d, want %d", c.who, path, a.StatusCode, want)
			}
		}
	}
	s.client = s.browser()
	if a := s.get("/staff?queue=mine"); a.Header.Get("Location") != "/sign-in?next=%2Fstaff%3Fqueue%3Dmine" {
		t.Errorf("a visitor is sent to %q", a.Header.Get("Location"))
	}
	if a := s.get("/staff", "HX-Request", "true"); a.Header.Get("HX-Redirect") == "" || a.StatusCode != http.StatusNoContent {
		t.Errorf("htmx is answered %d, %v", a.StatusCode, a.Header)
	}
	if a := s.do(http.MethodPost, "/staff", ""); a.StatusCode != http.StatusUnauthorized || !strings.Contains(a.body, "Please sign in") {
		t.Errorf("a visitor's post is answered %d", a.StatusCode)
	}
}

func TestMount_refusesARouteWithoutARuleAndAPageWithoutMain(t *testing.T) {
	s := &site{t: t}
	engine, err := page.New(page.Config{Sessions: sessions{memstore.New(), s}, People: s, Policies: s})
	if err != nil {
		t.Fatal(err)
	}
	for name, area := range map[string]page.Area{
		"no rule":       {Templates: templates, Routes: []page.Route{page.Get("/x", page.Access{}, plain)}},
		"no handler":    {Templates: templates, Routes: []page.Route{page.Get("/x", page.Anyone, nil)}},
		"another verb":  {Templates: templates, Routes: []page.Route{{Method: "PUT", Path: "/x", Access: page.Anyone, Handle: plain}}},
		"no main":       {Templates: fstest.MapFS{"x.html": {Data: []byte(`{{define "other"}}{{end}}`)}}},
		"no such asset": {Templates: fstest.MapFS{"x.html": {Data: []byte(`{{define "main"}}{{lost}}{{end}}`)}}},
	} {
		if err := engine.Mount(gin.New(), area); err == nil {
			t.Errorf("%s: it is mounted", name)
		}
	}
}

func TestShow_isAWholePageThatTheContentPolicyHolds(t *testing.T) {
	s := open(t)
	a := s.get("/anyone")
	pagetest.Check(t, "plain", pagetest.Read(t, strings.NewReader(a.body)))
	if got := a.Header.Get("Content-Security-Policy"); !strings.Contains(got, "default-src 'none'") || strings.Contains(got, "unsafe") {
		t.Errorf("the content policy is %q", got)
	}
	if !strings.Contains(a.body, "support@holesalemart.example") {
		t.Error("the contact is missing")
	}
	if part := s.get("/anyone", "HX-Request", "true"); part.body != `<p id="part">part</p>` {
		t.Errorf("htmx gets %q", part.body)
	}
}

func TestTimes_areInTheViewersZone(t *testing.T) {
	s := open(t)
	for zone, want := range map[string]string{
		"": "11:00 UTC", "Europe/Berlin": "12:00 CET", "../../etc/passwd": "11:00 UTC", "Local": "11:00 UTC", "Nowhere/Land": "11:00 UTC",
	} {
		a := s.get("/anyone", "Cookie", "tz="+zone)
		if !strings.Contains(a.body, `<time datetime="2026-12-03T11:00:00Z" data-time="full"`) || !strings.Contains(a.body, "Thu 3 Dec 2026, "+want) {
			t.Errorf("%q: %s", zone, a.body)
		}
	}
}

func TestSession_endsWithItsEpochAndWithSigningOut(t *testing.T) {
	s := open(t)
	signedIn := func() bool { return s.get("/signed-in").StatusCode == http.StatusOK }
	s.as("agent")
	if !signedIn() {
		t.Fatal("signing in does nothing")
	}
	s.epoch++
	if signedIn() {
		t.Error("a session outlives its epoch")
	}
	s.as("agent")
	before := s.cookie()
	s.as("supervisor")
	if s.cookie() == before {
		t.Error("signing in keeps the session's token")
	}
	s.do(http.MethodPost, "/out", "")
	if signedIn() {
		t.Error("signing out does nothing")
	}
	a := s.get("/signed-in", "Cookie", "session="+before)
	if a.StatusCode == http.StatusOK {
		t.Error("the token from before still signs in")
	}
}

func (s *site) cookie() string {
	at, err := url.Parse(s.server.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	for _, c := range s.client.Jar.Cookies(at) {
		if c.Name == "session" {
			return c.Value
		}
	}
	return ""
}

func TestSession_isNotKeptForWhoOnlyReads(t *testing.T) {
	s := open(t)
	if a := s.get("/anyone"); a.Header.Get("Set-Cookie") != "" {
		t.Errorf("a reader gets %q", a.Header.Get("Set-Cookie"))
	}
	s.as("customer")
	a := s.get("/as/customer")
	if got := a.Header.Get("Set-Cookie"); !strings.Contains(got, "HttpOnly") || !strings.Contains(got, "SameSite=Lax") {
		t.Errorf("the cookie is %q", got)
	}
}

func TestFlash_isShownOnceAndEscaped(t *testing.T) {
	s := open(t)
	s.as("agent")
	if a := s.get("/anyone"); !strings.Contains(a.body, "Welcome &lt;agent&gt;") {
		t.Error("the sentence is not shown")
	}
	if a := s.get("/anyone"); strings.Contains(a.body, "Welcome") {
		t.Error("the sentence is shown twice")
	}
}

func TestGrant_opensOneTicketUntilItsPersonsSessionsEnd(t *testing.T) {
	s := open(t)
	s.get("/grant/A")
	s.get("/grant/B")
	if a := s.get("/granted/A"); a.body != "customer" {
		t.Errorf("the granted ticket: %d %q", a.StatusCode, a.body)
	}
	if a := s.get("/granted/C"); a.StatusCode != http.StatusSeeOther {
		t.Errorf("another ticket: %d", a.StatusCode)
	}
	s.epoch++
	if a := s.get("/granted/A"); a.StatusCode == http.StatusOK {
		t.Error("a grant outlives its person's sessions")
	}
}

func TestGrant_isNotPassedOnToWhoSignsIn(t *testing.T) {
	s := open(t)
	s.get("/grant/A")
	s.get("/as/agent")
	if a := s.get("/granted/A"); a.StatusCode == http.StatusOK {
		t.Errorf("the person who signed in acts as %q by a link that a visitor had opened", a.body)
	}
}

func TestForm_isReadOnceAndWithinItsLimit(t *testing.T) {
	s := open(t)
	for name, c := range map[string]struct {
		body, media string
		want        int
	}{
		"a form":         {"body=1&body=2&idempotency_key=K", "application/x-www-form-urlencoded", 204},
		"too much":       {"body=" + strings.Repeat("x", 1<<20), "application/x-www-form-urlencoded", 413},
		"JSON":           {"{}", "application/json", 422},
		"no form at all": {"%zz", "application/x-www-form-urlencoded", 422},
	} {
		if a := s.do(http.MethodPost, "/form", c.body, "Content-Type", c.media); a.StatusCode != c.want {
			t.Errorf("%s: %d, want %d", name, a.StatusCode, c.want)
		}
	}
	s.keys = nil
	for _, body := range []string{"a=1&idempotency_key=K", "idempotency_key=K&a=1", "a=2&idempotency_key=K", "a=1"} {
		s.do(http.MethodPost, "/form", body)
	}
	same := func(i, j int) bool {
		return s.keys[i].Key == s.keys[j].Key && string(s.keys[i].Fingerprint) == string(s.keys[j].Fingerprint)
	}
	if !same(0, 1) || same(0, 2) || s.keys[3].Key != "" {
		t.Errorf("the keys are %+v", s.keys)
	}
}

func TestFail_showsWhatMayBeShown(t *testing.T) {
	s := open(t)
	if a := s.get("/broken"); a.StatusCode != 500 || strings.Contains(a.body, "secret") || !strings.Contains(a.body, "REQUEST") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	a := s.get("/conflict")
	if a.StatusCode != 409 || !strings.Contains(a.body, "Another &lt;person&gt; has it.") {
		t.Errorf("%d %s", a.StatusCode, a.body)
	}
	pagetest.Check(t, "error page", pagetest.Read(t, strings.NewReader(a.body)))
	if a := s.get("/often"); a.StatusCode != http.StatusTooManyRequests || a.Header.Get("Retry-After") == "" {
		t.Errorf("asked too often: %d %v", a.StatusCode, a.Header)
	}
	if a := s.get("/conflict", "HX-Request", "true"); a.StatusCode != 409 || strings.Contains(a.body, "<html") {
		t.Errorf("htmx gets %d %s", a.StatusCode, a.body)
	}
	s.as("agent")
	s.mu.Lock()
	s.away = fault.New(fault.Unavailable, "the database is not responding")
	s.mu.Unlock()
	if a := s.get("/staff"); a.StatusCode != 503 || a.Header.Get("Retry-After") == "" || !strings.Contains(a.body, "The database is not responding.") || strings.Contains(a.body, "what you typed") {
		t.Errorf("without a database: %d %s", a.StatusCode, a.body)
	}
	if a := s.do(http.MethodPost, "/staff", ""); a.StatusCode != 503 || !strings.Contains(a.body, "Back button to get back what you typed") {
		t.Errorf("a form without a database: %d %s", a.StatusCode, a.body)
	}
}

func TestStatic_isKeptForEverUnderItsHash(t *testing.T) {
	s := open(t)
	doc := pagetest.Read(t, strings.NewReader(s.get("/anyone").body))
	sheet, _ := doc.Find("link[rel=stylesheet]").Attr("href")
	a := s.get(sheet)
	if a.StatusCode != 200 || !strings.Contains(a.Header.Get("Cache-Control"), "immutable") || !strings.HasPrefix(a.Header.Get("Content-Type"), "text/css") {
		t.Errorf("%s: %d %v", sheet, a.StatusCode, a.Header)
	}
	if b := s.get(sheet, "If-None-Match", a.Header.Get("ETag")); b.StatusCode != http.StatusNotModified {
		t.Errorf("asked again: %d", b.StatusCode)
	}
	if b := s.get("/static/0000000000/css/base.css"); strings.Contains(b.Header.Get("Cache-Control"), "immutable") {
		t.Error("another version's address is kept for ever")
	}
	for _, path := range []string{"/static/x", "/static/x/../engine.go", "/static/", "/static/x/nothing.css"} {
		if b := s.get(path); b.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, b.StatusCode)
		}
	}
}

func TestLocal_staysOnTheSite(t *testing.T) {
	for address, want := range map[string]string{
		"/desk?queue=mine#x": "/desk?queue=mine#x", "": "", "//evil.example": "", "///evil.example": "", "https://evil.example/": "",
		`/\evil.example`: "", "javascript:alert(1)": "", "desk": "", "/a\nb": "", "\t//evil.example": "",
	} {
		if got := page.Local(address); got != want {
			t.Errorf("Local(%q) is %q, want %q", address, got, want)
		}
	}
}
