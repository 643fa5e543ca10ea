package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/config"
	"github.com/holesalemart/supportdesk/internal/demotest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var update = flag.Bool("update", false, "write the golden files anew")

// fixture is the whole website, wired as in production, with demonstration tickets.
type fixture struct {
	*demotest.Desk
	handler http.Handler
	areas   []page.Area
	cookies map[ticket.Role]string // none for the empty role, a visitor
	params  map[string]string      // values for the parameters of paths
}

func openFixture(t testing.TB, tickets int) *fixture {
	t.Helper()
	h := &fixture{Desk: demotest.New(t, tickets), cookies: map[ticket.Role]string{}}
	quiet := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError}))
	n := &dependencies{config: config.Config{BaseURL: "http://support.example"}, log: quiet, db: h.Store}
	outcomes := store.NewOutcomes(h.Store, quiet)
	blobs, err := blob.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	files := app.NewFiles(h.Store, blobs, desk.DefaultFileLimits)
	review := app.NewIncomingReview(h.Store, h.Store, blobs, inbound.NewViewer(blobs, h.TokenSecrets, "https://help.desk.example", inbound.Addresses{"support@desk.example": ""}))
	d := app.NewTickets(h.Store, h.Store, h.Store, outcomes, desktest.NoRelay{})
	site, err := n.site(t.Context(), d, app.NewNoticeBoard(h.Store), "")
	if err == nil {
		h.areas = n.areas(d, files, review, outcomes, app.NewEmergencies(h.Store, h.Store, h.Store, h.Store, desktest.NoRelay{}), app.NewPolicies(h.Store, h.Store, h.Store, desktest.NoRelay{}))
	}
	if err != nil {
		t.Fatal(err)
	}
	door := page.Area{Name: "door", Templates: os.DirFS(t.TempDir()), Routes: []page.Route{page.Get("/door/:id", page.Anyone, h.authenticate)}}
	h.handler, err = api.New(api.Config{Desk: d, Files: files, Incoming: review, People: h.Store, Board: app.NewNoticeBoard(h.Store), Site: site, Areas: append(slices.Clone(h.areas), door), Log: quiet})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []desk.Person{h.Customer, h.Agent, h.Supervisor, h.Administrator} {
		cookie, _, _ := strings.Cut(h.ask("GET", "/door/"+string(p.ID), "").Header().Get("Set-Cookie"), ";")
		if cookie == "" {
			t.Fatalf("the %s does not get in", p.Role)
		}
		h.cookies[p.Role] = cookie
	}
	own, _, err := d.List(t.Context(), desk.Filter{Viewer: h.Customer, Limit: 1})
	if err != nil || len(own) == 0 {
		t.Fatalf("the customer has %d tickets: %v", len(own), err)
	}
	h.params = map[string]string{":number": string(own[0].Number), ":version": "1", ":id": "P-0000000000", ":token": "no-token"}
	return h
}

// authenticate signs in the person whom the path names. Only tests have this route.
func (h *fixture) authenticate(v *page.Visit) error {
	for _, p := range []desk.Person{h.Customer, h.Agent, h.Supervisor, h.Administrator} {
		if string(p.ID) == v.Param("id") {
			epoch, err := h.SessionEpoch(v.Context(), p.ID)
			if err == nil {
				err = v.Session.SignIn(p, epoch, time.Now())
			}
			if err == nil {
				err = v.Nothing()
			}
			return err
		}
	}
	return fmt.Errorf("no one is %s", v.Param("id"))
}

func (h *fixture) ask(method, path, cookie string) *httptest.ResponseRecorder {
	r := httptest.NewRequestWithContext(context.Background(), method, path, strings.NewReader(url.Values{}.Encode()))
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if cookie != "" {
		r.Header.Set("Cookie", cookie)
	}
	w := httptest.NewRecorder()
	h.handler.ServeHTTP(w, r)
	return w
}

// address fills a route's parameters in.
func (h *fixture) address(r page.Route) string {
	parts := strings.Split(r.Path, "/")
	for i, part := range parts {
		if value, is := h.params[part]; is {
			parts[i] = value
		}
	}
	return strings.Join(parts, "/")
}

func (h *fixture) routes() []page.Route {
	var all []page.Route
	for _, a := range h.areas {
		all = append(all, a.Routes...)
	}
	return all
}

// TestSite_hasTheRulesThatWereAgreedOn: a route that is new, or allows other roles than before, changes this file,
// so that it is reviewed.
func TestSite_hasTheRulesThatWereAgreedOn(t *testing.T) {
	h := openFixture(t, 60)
	var lines []string
	for _, r := range h.routes() {
		lines = append(lines, fmt.Sprintf("%-4s %-48s %s", r.Method, r.Path, r.Access.Who))
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	const golden = "testdata/routes.golden"
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("the website's routes have changed; read who may ask, then run this test with -update:\n%s", diff)
	}
}

// TestSite_letsInWhomEachRuleNames requests every route in every role, without filling in a form.
func TestSite_letsInWhomEachRuleNames(t *testing.T) {
	h := openFixture(t, 60)
	roles := []ticket.Role{"", ticket.RoleCustomer, ticket.RoleAgent, ticket.RoleSupervisor, ticket.RoleAdministrator}
	for _, r := range h.routes() {
		if strings.HasSuffix(r.Path, "everywhere") || r.Path == "/sign-out" {
			continue // would end the session that the next routes are asked with; the area's own tests ask them
		}
		for _, role := range roles {
			if problem := judge(r, role, h.ask(r.Method, h.address(r), h.cookies[role])); problem != "" {
				t.Errorf("%s %s as %q: %s, but: %s", r.Method, r.Path, role, problem, r.Access.Who)
			}
		}
	}
}

// judge returns how a response violates its route's access rule, or "".
func judge(r page.Route, role ticket.Role, a *httptest.ResponseRecorder) string {
	answer := fmt.Sprintf("%d %s", a.Code, a.Header().Get("Location"))
	signIn := a.Code == http.StatusUnauthorized || strings.HasPrefix(a.Header().Get("Location"), "/sign-in?next=")
	forbidden := a.Code == http.StatusForbidden
	sentToDesk := strings.HasPrefix(a.Header().Get("Location"), "/desk/tickets/")
	requesterOnly := strings.HasPrefix(r.Access.Who, "The ticket's requester")
	var fine bool
	switch {
	case a.Code >= http.StatusInternalServerError:
	case role == "" && (requesterOnly || r.Access.Allows != nil):
		fine = signIn
	case role == "":
		fine = true
	case requesterOnly && role.Staff() && r.Method == http.MethodGet:
		fine = sentToDesk
	case requesterOnly && role.Staff(), r.Access.Allows != nil && !r.Access.Allows(role):
		fine = forbidden
	default:
		fine = !signIn && !forbidden
	}
	if fine {
		return ""
	}
	return answer
}

// TestSite_showsPagesThatAreWellFormed to everyone who may see them.
func TestSite_showsPagesThatAreWellFormed(t *testing.T) {
	h := openFixture(t, 60)
	for _, r := range h.routes() {
		for role, cookie := range h.cookies {
			if r.Method != http.MethodGet || r.Access.Allows != nil && !r.Access.Allows(role) {
				continue
			}
			a := h.ask(r.Method, h.address(r), cookie)
			if strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") && a.Code != http.StatusSeeOther {
				pagetest.Check(t, fmt.Sprintf("%s as %s", h.address(r), role), pagetest.Read(t, a.Body))
			}
		}
	}
}

// TestSite_showsAnEmergencyOnEveryPage that anyone sees, those too that say what went wrong; and what a supervisor
// typed stays words.
func TestSite_showsAnEmergencyOnEveryPage(t *testing.T) {
	h := openFixture(t, 60)
	const typed = `</p><script>alert(1)</script><img src=x onerror=alert(1)> {{.Version}}`
	if _, err := app.DeclareEmergency(t.Context(), h, h.Supervisor, desk.EmergencyPlan{Kind: ticket.EmergencyClosed, Notice: typed}); err != nil {
		t.Fatal(err)
	}
	pages := 0
	for _, r := range append(h.routes(), page.Get("/nowhere", page.Anyone, nil)) {
		for _, role := range []ticket.Role{"", ticket.RoleCustomer, ticket.RoleAgent, ticket.RoleSupervisor, ticket.RoleAdministrator} {
			if r.Method != http.MethodGet {
				continue
			}
			a := h.ask(r.Method, h.address(r), h.cookies[role])
			if !strings.HasPrefix(a.Header().Get("Content-Type"), "text/html") || a.Code == http.StatusSeeOther {
				continue
			}
			name := fmt.Sprintf("%s as %q", h.address(r), role)
			doc := pagetest.Read(t, a.Body)
			pagetest.Check(t, name, doc)
			notices := doc.Find("body > .notices[role=status]")
			if got := notices.Text(); !strings.Contains(got, "closed") || !strings.Contains(got, typed) || notices.Find(`a[href="/notice"]`).Length() != 1 {
				t.Errorf("%s shows %q", name, got)
			}
			if doc.Find("script:not([src]), img[src=x]").Length() > 0 {
				t.Errorf("%s: what was typed became markup", name)
			}
			pages++
		}
	}
	if pages < 40 {
		t.Errorf("only %d pages were looked at", pages)
	}
}

// BenchmarkSite shows every page at 100,000 tickets, beside the bare answer of the same server.
func BenchmarkSite(b *testing.B) {
	h := openFixture(b, demotest.Many)
	bench := func(name, path, cookie string) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if a := h.ask("GET", path, cookie); a.Code != http.StatusOK {
					b.Fatalf("%s: %d", path, a.Code)
				}
			}
		})
	}
	bench("bare", "/healthz", "")
	// Words of the demonstration: in 36 tickets, in one of thirty, in most.
	for name, word := range map[string]string{"rare": "needed", "one_in_thirty": "yet", "most": "the"} {
		bench("search_"+name, "/desk?queue=all&q="+word, h.cookies[ticket.RoleAgent])
	}
	for _, r := range h.routes() {
		path := h.address(r)
		for _, role := range []ticket.Role{ticket.RoleCustomer, ticket.RoleAgent, ticket.RoleAdministrator} {
			if r.Method != http.MethodGet || strings.HasSuffix(path, "/live") || r.Access.Allows == nil || !r.Access.Allows(role) {
				continue
			}
			if a := h.ask("GET", path, h.cookies[role]); a.Code == http.StatusOK {
				bench(strings.ReplaceAll(path[1:], "/", "_"), path, h.cookies[role])
			}
			break
		}
	}
}
