package portal_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"

	accountpages "github.com/holesalemart/supportdesk/api/account"
	filepages "github.com/holesalemart/supportdesk/api/files"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/portal"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fixture is the portal on a running desk.
type fixture struct {
	*sitetest.Fixture
	t        *testing.T
	faulty   *faultyDesk
	accounts *account.Service
	server   *httptest.Server
	log      *logtest.Buffer
}

func newFixture(t *testing.T) *fixture { return newFixtureUnder(t, string(policy.Holesalemart())) }

func newFixtureUnder(t *testing.T, document string) *fixture {
	t.Helper()
	return newFixtureOn(t, sitetest.OpenUnder(t, "portal", []byte(document)))
}

func newFixtureOn(t *testing.T, with *sitetest.Fixture) *fixture {
	t.Helper()
	o := &fixture{Fixture: with, t: t, log: new(logtest.Buffer)}
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	o.Employ("carl", ticket.RoleCustomer, "Carl Other")
	o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Start(slog.New(slog.DiscardHandler))
	o.faulty = &faultyDesk{Tickets: o.Desk}
	o.accounts = account.New(o.Accounts(), "http://support.example")
	o.serve()
	return o
}

// serve serves the portal with the whole API, as the program does, and with pages to sign in.
func (o *fixture) serve() {
	o.t.Helper()
	stop := make(chan struct{})
	log := slog.New(slog.NewTextHandler(o.log, nil))
	o.server = o.Serve(page.Config{Name: "Demo Support", Stopping: stop, Log: log}, "/dashboard",
		portal.New(o.faulty, o.Store, app.NewSuggestions(o.Store), o.Store, o.Files, o.Outcomes).Area(), filepages.New(o.Files, o.Store).Area(), accountpages.New(o.accounts, nil, nil, nil).Area())
	o.t.Cleanup(func() { close(stop) })
}

// command sends a command without the pages and waits until it is decided.
func (o *fixture) command(name string, r desk.Request) {
	o.t.Helper()
	o.Command(o.People[name], r)
}

// submitted submits a ticket without the pages and waits until its first step.
func (o *fixture) submitted(name, subject string) ticket.Number {
	o.t.Helper()
	return o.submit(name, desk.Submission{Subject: subject, Body: "Body of " + subject})
}

// submit is submitted with all of a submission.
func (o *fixture) submit(name string, s desk.Submission) ticket.Number {
	o.t.Helper()
	r, err := o.Desk.Submit(o.t.Context(), o.People[name], s)
	if err != nil {
		o.t.Fatal(err)
	}
	for decided := false; !decided; {
		if _, decided, err = o.Outcome(o.t.Context(), r.Number, 1); err != nil {
			o.t.Fatal(err)
		}
	}
	return r.Number
}

// browser is a client of one person or of a visitor.
type browser struct {
	*sitetest.Browser
	t *testing.T
}

// visitor returns a browser that is not signed in.
func (o *fixture) visitor() *browser {
	return &browser{sitetest.NewBrowser(o.t, o.server.URL), o.t}
}

// signedIn returns a browser that is signed in as a person.
func (o *fixture) signedIn(name string) *browser {
	o.t.Helper()
	b := o.visitor()
	b.SignIn(name)
	return b
}

type response struct{ sitetest.Response }

// ask sends a request and checks what holds for all complete pages.
func (b *browser) ask(method, path string, form url.Values, headers ...string) response {
	b.t.Helper()
	a := response{b.Ask(method, path, form, headers...)}
	if strings.HasPrefix(a.Body, "<!doctype") {
		pagetest.Check(b.t, method+" "+path, a.Document)
	}
	return a
}

func (b *browser) wantStatus(status int, a response, what string) response {
	b.t.Helper()
	if a.Status != status {
		b.t.Fatalf("%s: %d, want %d; it leads to %q and says %q", what, a.Status, status, a.Location, a.Line("main"))
	}
	return a
}

// get requests a page and fails the test unless the response has the status. It follows the redirect to a form's
// address with its key.
func (b *browser) get(status int, path string) response {
	b.t.Helper()
	if page, _, _ := strings.Cut(path, "?"); page == "/tickets/new" || page == "/suggestions" {
		if a := b.ask(http.MethodGet, path, nil); a.Status == http.StatusSeeOther && strings.HasPrefix(a.Location, page+"?") {
			path = a.Location
		}
	}
	return b.wantStatus(status, b.ask(http.MethodGet, path, nil), path)
}

// post sends a form, with its fields in pairs, and fails the test unless the response has the status.
func (b *browser) post(status int, path string, fields ...string) response {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	return b.wantStatus(status, b.ask(http.MethodPost, path, values), "POST "+path)
}

// value returns the value of a form's field.
func (a response) value(selector string) string {
	field := a.Find(selector)
	if field.Is("textarea") {
		return field.Text()
	}
	value, _ := field.Attr("value")
	return value
}

// wantTexts fails the test unless the element contains every text.
func (a response) wantTexts(t *testing.T, selector string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if said := a.Line(selector); !strings.Contains(said, text) {
			t.Errorf("%s lacks %q: %q", selector, text, said)
		}
	}
}

// faultyDesk is the desk with failures and delays that tests can set.
type faultyDesk struct {
	*app.Tickets

	mu          sync.Mutex
	refuses     error  // what is submitted or asked for fails with it
	unavailable error  // reading a ticket fails with it
	between     func() // runs before a timeline is read
	tracked     []ticket.Number
}

func (f *faultyDesk) Timeline(ctx context.Context, viewer desk.Person, n ticket.Number) ([]desk.Entry, error) {
	if f.between != nil {
		f.between()
	}
	return f.Tickets.Timeline(ctx, viewer, n)
}

func (f *faultyDesk) fail(refuses, away error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuses, f.unavailable = refuses, away
}

func (f *faultyDesk) failing() (refuses, away error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refuses, f.unavailable
}

func (f *faultyDesk) Submit(ctx context.Context, by desk.Person, s desk.Submission) (desk.Receipt, error) {
	if err, _ := f.failing(); err != nil {
		return desk.Receipt{}, err
	}
	return f.Tickets.Submit(ctx, by, s)
}

func (f *faultyDesk) Command(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, ticket.Outcome, bool, error) {
	if err, _ := f.failing(); err != nil {
		return desk.Accepted{}, ticket.Outcome{}, false, err
	}
	return f.Tickets.Command(ctx, by, r)
}

func (f *faultyDesk) Ticket(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.View, error) {
	if _, err := f.failing(); err != nil {
		return desk.View{}, err
	}
	return f.Tickets.Ticket(ctx, viewer, n)
}

func (f *faultyDesk) Track(ctx context.Context, n ticket.Number) (desk.Tracking, error) {
	f.mu.Lock()
	f.tracked = append(f.tracked, n)
	f.mu.Unlock()
	return f.Tickets.Track(ctx, n)
}
