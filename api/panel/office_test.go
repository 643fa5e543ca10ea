package panel_test

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// office is the panel on the real store. A clerk stands where the workflows are: it takes every command as soon as it
// is accepted, by the same step.
type office struct {
	t      testing.TB
	server *httptest.Server
	store  *store.Store
	desk   *desk.Desk
	front  *front // what the pages ask
	clerk  *clerk
	people map[string]desk.Person
}

func openOffice(t testing.TB) *office {
	t.Helper()
	s, err := store.Open(t.Context(), pgtest.Template(t, "panel", store.Migrate), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, _, err := s.PublishPolicy(t.Context(), policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	o := openOfficeOn(t, s)
	o.hire("clara", ticket.RoleCustomer, "Clara Customer")
	o.hire("carl", ticket.RoleCustomer, "Carl Other")
	o.hire("anna", ticket.RoleAgent, "Anna Agent")
	o.hire("bert", ticket.RoleAgent, "Bert Agent")
	o.hire("sam", ticket.RoleSupervisor, "Sam Supervisor")
	return o
}

// openOfficeOn opens the panel on a desk that has a policy, and hires nobody.
func openOfficeOn(t testing.TB, s *store.Store) *office {
	t.Helper()
	o := &office{t: t, store: s, people: map[string]desk.Person{}}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})) // seen when a test fails
	outcomes := store.NewOutcomes(s, log)
	o.clerk = &clerk{store: s, bell: make(chan struct{}, 1)}
	o.keep(outcomes.Run)
	o.keep(o.clerk.run)
	o.desk = desk.New(s, s, s, outcomes, o.clerk)
	o.front = &front{Desk: o.desk}
	site, err := page.New(page.Config{
		Sessions: s.Sessions(), People: s, Policies: o.desk, TemporalUI: "http://temporal.example/namespaces/default", Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Config{
		Desk: o.desk, People: s, Site: site, Log: log,
		Areas: []page.Area{panel.New(o.front, s, outcomes).Area(), o.entrance()},
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
			p := o.people[v.Param("name")]
			epoch, err := o.store.SessionEpoch(v.Context(), p.ID)
			if err == nil {
				err = v.Session.SignIn(p, epoch)
			}
			if err != nil {
				return err
			}
			return v.Redirect("/desk")
		}),
	}}
}

// keep runs something until the test ends.
func (o *office) keep(run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(func() { stop(); running.Wait() })
}

func (o *office) hire(handle string, role ticket.Role, name string) {
	o.t.Helper()
	p := desk.Person{Role: role, Name: name, Address: handle + "@example.com"}
	if role.Staff() {
		p.Handle = handle
	}
	p, err := o.store.AddPerson(o.t.Context(), p)
	if err != nil {
		o.t.Fatal(err)
	}
	o.people[handle] = p
}

// submit has somebody write a new ticket, and a supervisor note that it is there: so it has been taken.
func (o *office) submit(who, subject, body string) ticket.Number {
	o.t.Helper()
	receipt, err := o.desk.Submit(o.t.Context(), o.people[who], desk.Submission{
		Number: ticket.NewNumber("HM"), Subject: subject, Body: body, Order: "4711",
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.ask("sam", desk.Request{Number: receipt.Number, Verb: ticket.VerbNote, Body: "Seen."})
	return receipt.Number
}

// ask has somebody ask something of a ticket beside the pages.
func (o *office) ask(who string, r desk.Request) ticket.Outcome {
	o.t.Helper()
	_, outcome, decided, err := o.desk.Command(o.t.Context(), o.people[who], r)
	if err != nil || !decided {
		o.t.Fatalf("%s of %s was not decided: %v", r.Verb, r.Number, err)
	}
	return outcome
}

// ticket is a ticket as staff see it.
func (o *office) ticket(n ticket.Number) desk.View {
	o.t.Helper()
	v, err := o.desk.Ticket(o.t.Context(), o.people["sam"], n)
	if err != nil {
		o.t.Fatal(err)
	}
	return v
}

// browser is somebody's, signed in.
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
		if a := b.get("/let-in/" + who); a.status != http.StatusSeeOther {
			o.t.Fatalf("%s was not let in: %d", who, a.status)
		}
	}
	return b
}

// answer is what came back.
type answer struct {
	t      testing.TB
	status int
	header http.Header
	text   string
	*goquery.Document
}

func (b *browser) get(path string, headers ...string) answer {
	b.office.t.Helper()
	return b.do(http.MethodGet, path, nil, headers)
}

// post sends a form. As a script would, with the header HX-Request.
func (b *browser) post(path string, form url.Values, headers ...string) answer {
	b.office.t.Helper()
	return b.do(http.MethodPost, path, form, headers)
}

var byScript = []string{"HX-Request", "true"}

func (b *browser) do(method, path string, form url.Values, headers []string) answer {
	t := b.office.t
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), method, b.office.server.URL+path, strings.NewReader(form.Encode()))
	if err != nil {
		t.Fatal(err)
	}
	if method == http.MethodPost {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		r.Header.Set(headers[i], headers[i+1])
	}
	response, err := b.client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{t, response.StatusCode, response.Header, string(body), pagetest.Read(t, strings.NewReader(string(body)))}
}

// is insists on a status.
func (a answer) is(status int) answer {
	a.t.Helper()
	if a.status != status {
		a.t.Fatalf("answered %d, want %d: %.300s", a.status, status, strings.Join(strings.Fields(a.Find("#ticket .problem, .failure, main").Text()), " "))
	}
	return a
}

// says is the text of what a selector finds, with single spaces.
func (a answer) says(selector string) string {
	return strings.Join(strings.Fields(a.Find(selector).Text()), " ")
}

// front is the desk behind a line that may break: a command is kept then, and its answer lost.
type front struct {
	*desk.Desk
	broken atomic.Bool
}

func (f *front) Command(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, ticket.Outcome, bool, error) {
	a, outcome, decided, err := f.Desk.Command(ctx, by, r)
	if f.broken.Load() {
		return desk.Accepted{}, ticket.Outcome{}, false, fault.New(fault.Unavailable, "the database does not answer now")
	}
	return a, outcome, decided, err
}

type clerk struct {
	store *store.Store
	bell  chan struct{}
	away  sync.Mutex // held while the clerk is out
}

// Wake never waits: one ring is enough for whatever is there.
func (c *clerk) Wake() {
	select {
	case c.bell <- struct{}{}:
	default:
	}
}

func (c *clerk) run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-c.bell:
		}
		c.away.Lock()
		handed, err := 1, error(nil)
		for handed > 0 && err == nil {
			handed, err = c.store.Undelivered(ctx, 100, 100, c.take)
		}
		c.away.Unlock()
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
}

func (c *clerk) take(ctx context.Context, all []desk.Delivery) ([]desk.Delivery, error) {
	for _, d := range all {
		if _, err := c.store.Step(ctx, ticket.StepRequest{Number: d.Number, Command: d.Command.Seq}); err != nil {
			return nil, err
		}
	}
	return all, nil
}
