package panel_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"

	accountpages "github.com/holesalemart/supportdesk/api/account"
	filepages "github.com/holesalemart/supportdesk/api/files"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fixture is the panel on a running desk.
type fixture struct {
	*sitetest.Fixture
	t      testing.TB
	server *httptest.Server
	faulty *faultyDesk // the desk that the pages use
}

func newFixture(t testing.TB) *fixture {
	t.Helper()
	o := newFixtureOn(t, sitetest.Open(t, "panel"))
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	o.Employ("carl", ticket.RoleCustomer, "Carl Other")
	o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Employ("bert", ticket.RoleAgent, "Bert Agent")
	o.Employ("sam", ticket.RoleSupervisor, "Sam Supervisor")
	return o
}

// newFixtureOn starts the panel on a desk and adds no people.
func newFixtureOn(t testing.TB, with *sitetest.Fixture) *fixture {
	t.Helper()
	o := &fixture{Fixture: with, t: t}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})) // seen when a test fails
	o.Start(log)
	o.faulty = &faultyDesk{Tickets: o.Desk}
	o.server = o.Serve(page.Config{TemporalUI: "http://temporal.example/namespaces/default", Log: log}, "/desk",
		panel.New(o.faulty, o.Workspace, o.Staffing, o.Store, o.Files, o.Outcomes).Area(), filepages.New(o.Files, o.Store).Area(), accountpages.New(account.New(o.Store.Accounts(), "http://desk.example"), nil, nil, nil).Area())
	return o
}

// submit submits a ticket and waits until it has started.
func (o *fixture) submit(who, subject, body string) ticket.Number {
	o.t.Helper()
	receipt, err := o.Desk.Submit(o.t.Context(), o.People[who], desk.Submission{
		Number: ticket.NewNumber("HM"), Subject: subject, Body: body, Order: "4711",
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.started(receipt.Number)
	return receipt.Number
}

// started waits until the first step of a ticket was taken: the supervisor adds a note, which is decided after it.
func (o *fixture) started(n ticket.Number) {
	o.t.Helper()
	o.ask("sam", desk.Request{Number: n, Verb: ticket.VerbNote, Body: "Seen."})
}

// ask sends a command without the pages, and waits for its outcome.
func (o *fixture) ask(who string, r desk.Request) ticket.Outcome {
	o.t.Helper()
	return o.Command(o.People[who], r)
}

// ticket returns a ticket as staff see it.
func (o *fixture) ticket(n ticket.Number) desk.View {
	o.t.Helper()
	v, err := o.Desk.Ticket(o.t.Context(), o.People["sam"], n)
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// browser is a client that is signed in, or a visitor's if it was created without a name.
type browser struct {
	*sitetest.Browser
	fixture *fixture
}

func (o *fixture) browser(who string) *browser {
	o.t.Helper()
	b := &browser{sitetest.NewBrowser(o.t, o.server.URL), o}
	if who != "" {
		b.SignIn(who)
	}
	return b
}

type response struct {
	sitetest.Response
	t testing.TB
}

func (b *browser) get(path string, headers ...string) response {
	b.fixture.t.Helper()
	return b.do(http.MethodGet, path, nil, headers)
}

// post sends a form. With byScript as headers it is sent as htmx does.
func (b *browser) post(path string, form url.Values, headers ...string) response {
	b.fixture.t.Helper()
	return b.do(http.MethodPost, path, form, headers)
}

var byScript = []string{"HX-Request", "true"}

func (b *browser) do(method, path string, form url.Values, headers []string) response {
	b.fixture.t.Helper()
	return response{b.Ask(method, path, form, headers...), b.fixture.t}
}

// wantStatus fails the test unless the response has the status.
func (a response) wantStatus(status int) response {
	a.t.Helper()
	if a.Status != status {
		a.t.Fatalf("answered %d, want %d: %.300s", a.Status, status, strings.Join(strings.Fields(a.Find("#ticket .problem, .failure, main").Text()), " "))
	}
	return a
}

// faultyDesk is a desk whose commands are accepted while their responses are lost if unavailable is set.
type faultyDesk struct {
	*app.Tickets
	unavailable atomic.Bool
}

func (f *faultyDesk) Command(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, ticket.Outcome, bool, error) {
	a, outcome, decided, err := f.Tickets.Command(ctx, by, r)
	if f.unavailable.Load() {
		return desk.Accepted{}, ticket.Outcome{}, false, fault.New(fault.Unavailable, "the database is not responding")
	}
	return a, outcome, decided, err
}
