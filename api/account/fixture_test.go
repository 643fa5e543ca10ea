package account_test

import (
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/account"
	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/openid"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const secret = "a quiet harbour at dawn"

// fixture is the account pages with a database.
type fixture struct {
	t       *testing.T
	db      *store.Store
	service *accounts.Service
	beside  *pgxpool.Pool
	server  *httptest.Server

	customer, agent, administrator desk.Person
}

func open(t *testing.T) *fixture { return openWith(t, nil) }

// openWith returns a fixture with an OpenID provider.
func openWith(t *testing.T, issuer *issuer) *fixture {
	t.Helper()
	dsn := pgtest.Template(t, "accountpages", store.Migrate)
	db, err := store.Open(t.Context(), dsn, store.Options{MaxConns: 6})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	beside, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(beside.Close)
	if _, _, err := app.PublishPolicy(t.Context(), db, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	s := &fixture{t: t, db: db, beside: beside}
	s.customer = s.add(ticket.RoleCustomer, "Demo Customer", "customer@demo.example")
	s.agent = s.add(ticket.RoleAgent, "Demo Agent", "agent@demo.example")
	s.administrator = s.add(ticket.RoleAdministrator, "Demo Administrator", "administrator@demo.example")
	s.server = httptest.NewUnstartedServer(nil)
	base := "http://" + s.server.Listener.Addr().String()
	s.service = accounts.New(db.Accounts(), base)
	engine, err := page.New(page.Config{Sessions: db.Sessions(), People: db, Policies: db, Forms: db})
	if err != nil {
		t.Fatal(err)
	}
	var provider *openid.Provider
	if issuer != nil {
		provider = openid.New(openid.Config{
			Issuer: issuer.server.URL, ClientID: "desk", ClientSecret: "hush", Name: "Demo ID", Callback: base + "/sign-in/openid/callback",
		})
	}
	handler, err := api.New(api.Config{
		Desk: app.NewTickets(db, db, db, nil, nil), People: db, Site: engine, Areas: []page.Area{account.New(s.service, provider, nil, nil).Area()},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.server.Config.Handler = handler
	s.server.Start()
	t.Cleanup(s.server.Close)
	return s
}

// routes returns all routes of the pages.
func (s *fixture) routes() []page.Route { return account.New(s.service, nil, nil, nil).Area().Routes }

func (s *fixture) add(role ticket.Role, name, address string) desk.Person {
	s.t.Helper()
	p, err := s.db.AddPerson(s.t.Context(), desk.Person{Role: role, Name: name, Address: address})
	if err != nil {
		s.t.Fatal(err)
	}
	return p
}

// mailed returns the path of the newest link mailed to an address.
func (s *fixture) mailed(kind, address string) string {
	s.t.Helper()
	path := ""
	for {
		k, found, err := s.db.ClaimNextDelivery(s.t.Context(), outbox.AccountMails, "a try", time.Minute)
		if err != nil {
			s.t.Fatal(err)
		}
		if !found {
			break
		}
		l, _, err := s.service.LoadMail(s.t.Context(), k.N)
		if err != nil {
			s.t.Fatal(err)
		}
		if err := s.db.SettleDelivery(s.t.Context(), k, desk.DeliverySent, ""); err != nil {
			s.t.Fatal(err)
		}
		if string(l.Kind) == kind && l.To.Address == address {
			path = strings.TrimPrefix(l.URL, s.server.URL)
		}
	}
	if path == "" {
		s.t.Fatalf("no mail %s to %s", kind, address)
	}
	return path
}

// browser is an HTTP client with cookies that does not follow redirects.
type browser struct {
	fixture *fixture
	client  *http.Client
}

func (s *fixture) browser() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		s.t.Fatal(err)
	}
	return &browser{fixture: s, client: &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}
}

// answer is a response.
type answer struct {
	*goquery.Document
	status int
	to     string // where it redirects
	header http.Header
	body   string
}

func (b *browser) do(r *http.Request) answer {
	t := b.fixture.t
	t.Helper()
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	a := answer{status: response.StatusCode, to: response.Header.Get("Location"), header: response.Header, body: string(body)}
	a.Document = pagetest.Read(t, strings.NewReader(a.body))
	if a.to == "" && len(body) > 0 {
		pagetest.Check(t, r.Method+" "+r.URL.Path, a.Document)
	}
	return a
}

func (b *browser) get(path string) answer {
	b.fixture.t.Helper()
	r, err := http.NewRequestWithContext(b.fixture.t.Context(), http.MethodGet, b.absolute(path), nil)
	if err != nil {
		b.fixture.t.Fatal(err)
	}
	return b.do(r)
}

func (b *browser) absolute(path string) string {
	if strings.HasPrefix(path, "/") {
		return b.fixture.server.URL + path
	}
	return path
}

// post submits names and values.
func (b *browser) post(path string, fields ...string) answer {
	b.fixture.t.Helper()
	form := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		form.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.fixture.t.Context(), http.MethodPost, b.absolute(path), strings.NewReader(form.Encode()))
	if err != nil {
		b.fixture.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	return b.do(r)
}

// send submits a form of a page with its hidden fields.
func (b *browser) send(shown answer, path string, fields ...string) answer {
	b.fixture.t.Helper()
	form := shown.Find(`main form[action="` + path + `"]`)
	if form.Length() == 0 {
		b.fixture.t.Fatalf("the page has no form to %s: %s", path, shown.Find("main").Text())
	}
	var hidden []string
	form.Find(`input[type="hidden"]`).Each(func(_ int, i *goquery.Selection) {
		hidden = append(hidden, i.AttrOr("name", ""), i.AttrOr("value", ""))
	})
	return b.post(path, append(hidden, fields...)...)
}

// as returns a browser in which a person has signed in by a link.
func (s *fixture) as(p desk.Person) *browser {
	s.t.Helper()
	link, err := s.service.CreateLink(s.t.Context(), p.Address, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	b := s.browser()
	if a := b.post(link); a.status != http.StatusSeeOther {
		s.t.Fatalf("signing in as %s: %d %s", p.Name, a.status, a.body)
	}
	return b
}

// setPassword sets a password.
func (s *fixture) setPassword(p desk.Person) {
	s.t.Helper()
	if err := s.service.RequestReset(s.t.Context(), accounts.Browser{Source: "192.0.2.1"}, p.Address); err != nil {
		s.t.Fatal(err)
	}
	token := strings.TrimPrefix(s.mailed("reset", p.Address), "/link/")
	if _, err := s.service.Use(s.t.Context(), token, "", secret, accounts.RevokeTokens); err != nil {
		s.t.Fatal(err)
	}
}

// signedIn returns the address of the account page, or "" if not signed in.
func (b *browser) signedIn() string {
	b.fixture.t.Helper()
	a := b.get("/account")
	if a.status != http.StatusOK {
		return ""
	}
	return a.Find(`section[aria-labelledby=h-address] .address`).First().Text()
}

func (a answer) wants(t *testing.T, status int, words ...string) {
	t.Helper()
	if a.status != status {
		t.Errorf("status %d, want %d: %s", a.status, status, a.Find("main").Text())
	}
	for _, w := range words {
		if !strings.Contains(a.Text(), w) {
			t.Errorf("the page does not say %q: %s", w, a.Find("main").Text())
		}
	}
}

func (a answer) leads(t *testing.T, to string) {
	t.Helper()
	if a.status != http.StatusSeeOther || a.to != to {
		t.Errorf("status %d to %q, want 303 to %q: %s", a.status, a.to, to, a.Find("main").Text())
	}
}
