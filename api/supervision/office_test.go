package supervision_test

import (
	"bufio"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/supervision"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/officetest"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// office is the supervisors' pages on a desk that works.
type office struct {
	*officetest.Office
	t      *testing.T
	server *httptest.Server
	feed   *feed
}

// feed is told by the test what changes.
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

func openOffice(t *testing.T) *office {
	t.Helper()
	o := &office{Office: officetest.Open(t, "supervision"), t: t, feed: &feed{}}
	o.Hire("clara", ticket.RoleCustomer, "Clara Customer")
	o.Hire("anna", ticket.RoleAgent, "Anna Agent")
	o.Hire("mallory", ticket.RoleAgent, "=HYPERLINK(0)")
	o.Hire("sam", ticket.RoleSupervisor, "Sam Supervisor")
	o.Hire("ada", ticket.RoleAdministrator, "Ada Administrator")
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})) // seen when a test fails
	o.Work(log)
	site, err := page.New(page.Config{
		Sessions: o.Sessions(), People: o.Store, Policies: o.Desk, TemporalUI: "http://temporal.example/namespaces/default", Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Config{
		Desk: o.Desk, People: o.Store, Site: site, Log: log,
		Areas: []page.Area{supervision.New(desk.NewReports(o.Store, o.Store), o.Store, o.feed).Area(), o.entrance()},
	})
	if err != nil {
		t.Fatal(err)
	}
	o.server = httptest.NewServer(handler)
	t.Cleanup(func() { o.server.CloseClientConnections(); o.server.Close() })
	return o
}

// entrance lets anybody in by their name.
func (o *office) entrance() page.Area {
	return page.Area{Name: "entrance", Templates: fstest.MapFS{}, Routes: []page.Route{
		page.Get("/let-in/:name", page.Anyone, func(v *page.Visit) error {
			p := o.People[v.Param("name")]
			epoch, err := o.Store.SessionEpoch(v.Context(), p.ID)
			if err == nil {
				err = v.Session.SignIn(p, epoch)
			}
			if err != nil {
				return err
			}
			return v.Nothing()
		}),
	}}
}

// ago is a whole second that many days before now.
func ago(days float64) time.Time {
	return time.Now().UTC().Add(-time.Duration(days * float64(24*time.Hour))).Truncate(time.Second)
}

// past has a ticket submitted some days ago, and what was done to it since.
func (o *office) past(days float64, rating *desk.Rating, deeds ...desk.Deed) ticket.Number {
	o.t.Helper()
	c := desk.Chronicle{Number: ticket.NewNumber("HM"), Rating: rating, Deeds: append([]desk.Deed{{
		By: o.People["clara"], At: ago(days), Verb: ticket.VerbSubmit, Subject: "Where is <my> parcel?", Body: "It was due on Monday.",
		Priority: policy.PriorityNormal, Category: "delivery",
	}}, deeds...)}
	if days > 50 {
		c.Undeliverable = map[ticket.PersonID]string{o.People["clara"].ID: "550 <nobody> here"}
	}
	if _, err := o.Store.Import(o.t.Context(), []desk.Chronicle{c}); err != nil {
		o.t.Fatal(err)
	}
	return c.Number
}

// busy gives the desk a past: one ticket that nobody took and one of each agent, kept.
func (o *office) busy() (forgotten ticket.Number) {
	forgotten = o.past(60, nil)
	for i, handle := range []string{"anna", "mallory"} {
		o.past(20, &desk.Rating{Score: 3 + 2*i, Comment: "Fine, <b>" + handle + "</b>.", At: ago(18)},
			desk.Deed{By: o.People[handle], At: ago(19), Verb: ticket.VerbResolve, Body: "Done."})
	}
	return forgotten
}

// browser is somebody's, signed in; nobody's without a name.
type browser struct {
	office *office
	client *http.Client
}

func (o *office) browser(who string) *browser {
	o.t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	b := &browser{office: o, client: &http.Client{Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}}
	if who != "" {
		if a := b.get("/let-in/" + who); a.status != http.StatusNoContent {
			o.t.Fatalf("%s was not let in: %d", who, a.status)
		}
	}
	return b
}

type answer struct {
	status int
	header http.Header
	text   string
	*goquery.Document
}

func (b *browser) get(path string, header ...string) answer {
	b.office.t.Helper()
	return b.ask(http.MethodGet, path, nil, header)
}

func (b *browser) ask(method, path string, form url.Values, header []string) answer {
	t := b.office.t
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.office.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	if strings.HasPrefix(response.Header.Get("Content-Type"), "text/event-stream") {
		line, _ := bufio.NewReader(response.Body).ReadString('\n')
		return answer{status: response.StatusCode, header: response.Header, text: line}
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header, string(body), pagetest.Read(t, strings.NewReader(string(body)))}
}

// page asks for a whole page and checks what holds for all of them.
func (b *browser) page(path string) answer {
	b.office.t.Helper()
	a := b.get(path)
	if a.status != http.StatusOK {
		b.office.t.Fatalf("%s: %d %s", path, a.status, a.Find("main").Text())
	}
	pagetest.Check(b.office.t, path, a.Document)
	return a
}
