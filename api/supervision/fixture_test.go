package supervision_test

import (
	"log/slog"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/supervision"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fixture is the supervisors' pages with a desk.
type fixture struct {
	*sitetest.Fixture
	t           *testing.T
	server      *httptest.Server
	feed        *feed
	wakeCounter *wakeCounter
}

// wakeCounter counts calls of Wake.
type wakeCounter struct{ woken atomic.Int32 }

func (c *wakeCounter) Wake() { c.woken.Add(1) }

// feed sends the changes that the test passes to it.
type feed struct {
	mu   sync.Mutex
	open []chan desk.Change
}

func (f *feed) Subscribe(ticket.Number) (<-chan desk.Change, func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	c := make(chan desk.Change, 8)
	f.open = append(f.open, c)
	return c, func() {}
}

func (f *feed) tell(c desk.Change) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, each := range f.open {
		each <- c
	}
}

func openFixture(t *testing.T) *fixture {
	t.Helper()
	o := &fixture{Fixture: sitetest.Open(t, "supervision"), t: t, feed: &feed{}, wakeCounter: &wakeCounter{}}
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Employ("mallory", ticket.RoleAgent, "=HYPERLINK(0)")
	o.Employ("sam", ticket.RoleSupervisor, "Sam Supervisor")
	o.Employ("ada", ticket.RoleAdministrator, "Ada Administrator")
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})) // seen when a test fails
	o.Start(log)
	o.server = o.Serve(page.Config{TemporalUI: "http://temporal.example/namespaces/default", Log: log}, "/supervision",
		supervision.New(app.NewReports(o.Store), o.Store, app.NewSuggestions(o.Store), o.Staffing, o.feed, app.NewEmergencies(o.Store, o.Store, o.Store, o.Store, o.wakeCounter),
			app.NewPolicies(o.Store, o.Store, o.Store, noopWaker{})).Area())
	return o
}

// ago returns the time a number of days ago, in whole seconds.
func ago(days float64) time.Time {
	return time.Now().UTC().Add(-time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
}

// importTicket imports a ticket submitted some days ago, with its actions since.
func (o *fixture) importTicket(days float64, rating *desk.Rating, actions ...desk.ImportAction) ticket.Number {
	o.t.Helper()
	c := desk.ImportTicket{Number: ticket.NewNumber("HM"), Rating: rating, Actions: append([]desk.ImportAction{{
		By: o.People["clara"], At: ago(days), Verb: ticket.VerbSubmit, Subject: "Where is <my> parcel?", Body: "It was due on Monday.",
		Priority: policy.PriorityNormal, Category: "delivery",
	}}, actions...)}
	if days > 50 {
		c.Undeliverable = map[ticket.PersonID]string{o.People["clara"].ID: "550 <nobody> here"}
	}
	if _, err := o.Import(o.t.Context(), []desk.ImportTicket{c}); err != nil {
		o.t.Fatal(err)
	}
	return c.Number
}

// withHistory imports an unassigned ticket and one resolved ticket of each agent.
func (o *fixture) withHistory() (forgotten ticket.Number) {
	forgotten = o.importTicket(60, nil)
	for i, handle := range []string{"anna", "mallory"} {
		o.importTicket(20, &desk.Rating{Score: 3 + 2*i, Comment: "Fine, <b>" + handle + "</b>.", At: ago(18)},
			desk.ImportAction{By: o.People[handle], At: ago(19), Verb: ticket.VerbResolve, Body: "Done."})
	}
	return forgotten
}

// browser is signed in as a person, or as none.
type browser struct {
	*sitetest.Browser
	t *testing.T
}

func (o *fixture) browser(who string) *browser {
	o.t.Helper()
	b := &browser{sitetest.NewBrowser(o.t, o.server.URL), o.t}
	if who != "" {
		b.SignIn(who)
	}
	return b
}

func (b *browser) get(path string, headers ...string) sitetest.Response {
	b.t.Helper()
	return b.Ask(http.MethodGet, path, nil, headers...)
}

// page requests a page and checks what holds for all pages.
func (b *browser) page(path string) sitetest.Response {
	b.t.Helper()
	a := b.get(path)
	if a.Status != http.StatusOK {
		b.t.Fatalf("%s: %d %s", path, a.Status, a.Find("main").Text())
	}
	pagetest.Check(b.t, path, a.Document)
	return a
}

// noopWaker ignores Wake.
type noopWaker struct{}

func (noopWaker) Wake() {}
