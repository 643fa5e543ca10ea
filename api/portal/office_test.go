package portal_test

import (
	"bytes"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/http/cookiejar"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/portal"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/officetest"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// office is the portal on a desk that works.
type office struct {
	*officetest.Office
	t      *testing.T
	front  *front
	server *httptest.Server
	log    *journal
}

func openOffice(t *testing.T) *office { return openOfficeUnder(t, string(policy.Holesalemart())) }

func openOfficeUnder(t *testing.T, document string) *office {
	t.Helper()
	o := &office{Office: officetest.OpenUnder(t, "portal", []byte(document)), t: t, log: &journal{}}
	o.Hire("clara", ticket.RoleCustomer, "Clara Customer")
	o.Hire("carl", ticket.RoleCustomer, "Carl Other")
	o.Hire("anna", ticket.RoleAgent, "Anna Agent")
	o.Work(slog.New(slog.DiscardHandler))
	o.front = &front{Desk: o.Desk}
	o.serve()
	return o
}

// serve puts the portal behind the whole API, as the program does, beside an area that signs people in.
func (o *office) serve() {
	o.t.Helper()
	stop := make(chan struct{})
	log := slog.New(slog.NewTextHandler(o.log, nil))
	site, err := page.New(page.Config{
		Sessions: o.Sessions(), People: o.Store, Policies: o.Desk, Name: "Demo Support", Stopping: stop, Log: log,
	})
	if err != nil {
		o.t.Fatal(err)
	}
	customers := portal.New(o.front, o.Store, o.Store, o.Outcomes)
	entrance := page.Area{Name: "entrance", Templates: fstest.MapFS{}, Routes: []page.Route{
		page.Get("/as/:name", page.Anyone, func(v *page.Visit) error {
			if err := v.Session.SignIn(o.People[v.Param("name")], 0); err != nil {
				return err
			}
			return v.Nothing()
		}),
	}}
	handler, err := api.New(api.Config{
		Desk: o.Desk, People: o.Store, Log: log, Site: site, Areas: []page.Area{customers.Area(), entrance},
	})
	if err != nil {
		o.t.Fatal(err)
	}
	o.server = httptest.NewServer(handler)
	o.t.Cleanup(func() { close(stop); o.server.Close() })
}

// do asks something of a ticket, past the pages, and waits until it is decided.
func (o *office) do(name string, r desk.Request) {
	o.t.Helper()
	a, _, decided, err := o.Desk.Command(o.t.Context(), o.People[name], r)
	for !decided && err == nil {
		_, decided, err = o.Outcome(o.t.Context(), a.Number, a.Seq)
	}
	if err != nil {
		o.t.Fatal(err)
	}
}

// taken submits a ticket, past the pages, and waits until its first step is taken.
func (o *office) taken(name, subject string) ticket.Number {
	o.t.Helper()
	r, err := o.Desk.Submit(o.t.Context(), o.People[name], desk.Submission{Subject: subject, Body: "Body of " + subject})
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

// browser is one person's, or a visitor's.
type browser struct {
	*http.Client
	o *office
	t *testing.T
}

// visitor is a browser that nobody has signed in with.
func (o *office) visitor() *browser {
	jar, err := cookiejar.New(nil)
	if err != nil {
		o.t.Fatal(err)
	}
	stay := func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{Client: &http.Client{Jar: jar, CheckRedirect: stay}, o: o, t: o.t}
}

// as is a browser that somebody has signed in with.
func (o *office) as(name string) *browser {
	o.t.Helper()
	b := o.visitor()
	b.get(http.StatusNoContent, "/as/"+name)
	return b
}

// answer is a page, or what came in its place.
type answer struct {
	*goquery.Document
	Status   int
	Location string
	Body     string
	Header   http.Header
}

func (b *browser) ask(r *http.Request) answer {
	b.t.Helper()
	w, err := b.Do(r)
	if err != nil {
		b.t.Fatal(err)
	}
	defer w.Body.Close()
	body, err := io.ReadAll(w.Body)
	if err != nil {
		b.t.Fatal(err)
	}
	a := answer{Status: w.StatusCode, Location: w.Header.Get("Location"), Body: string(body), Header: w.Header}
	a.Document = pagetest.Read(b.t, bytes.NewReader(body))
	whole := strings.HasPrefix(a.Body, "<!doctype")
	if whole {
		pagetest.Check(b.t, r.Method+" "+r.URL.Path, a.Document)
	}
	return a
}

func (b *browser) want(status int, a answer, what string) answer {
	b.t.Helper()
	if a.Status != status {
		b.t.Fatalf("%s: %d, want %d; it leads to %q and says %q", what, a.Status, status, a.Location, a.text("main"))
	}
	return a
}

// get insists on a status.
func (b *browser) get(status int, path string) answer {
	b.t.Helper()
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodGet, b.o.server.URL+path, nil)
	if err != nil {
		b.t.Fatal(err)
	}
	return b.want(status, b.ask(r), path)
}

// post sends a form's fields, in pairs, and insists on a status.
func (b *browser) post(status int, path string, fields ...string) answer {
	b.t.Helper()
	values := url.Values{}
	for i := 0; i < len(fields); i += 2 {
		values.Set(fields[i], fields[i+1])
	}
	r, err := http.NewRequestWithContext(b.t.Context(), http.MethodPost, b.o.server.URL+path, strings.NewReader(values.Encode()))
	if err != nil {
		b.t.Fatal(err)
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	return b.want(status, b.ask(r), "POST "+path)
}

var spaces = regexp.MustCompile(`\s+`)

// text is what a part of a page says, in one line.
func (a answer) text(selector string) string {
	return strings.TrimSpace(spaces.ReplaceAllString(a.Find(selector).Text(), " "))
}

// value is what a field of a form holds.
func (a answer) value(selector string) string {
	field := a.Find(selector)
	if field.Is("textarea") {
		return field.Text()
	}
	value, _ := field.Attr("value")
	return value
}

// says fails the test unless a part of a page holds every text.
func (a answer) says(t *testing.T, selector string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if said := a.text(selector); !strings.Contains(said, text) {
			t.Errorf("%s lacks %q: %q", selector, text, said)
		}
	}
}

// front is the desk as the portal sees it, for what the real one can't be made to do at will.
type front struct {
	*desk.Desk

	mu      sync.Mutex
	refuses error  // what is submitted or asked for fails with it
	away    error  // reading a ticket fails with it
	between func() // runs before a timeline is read
	tracked []ticket.Number
}

func (f *front) Timeline(ctx context.Context, viewer desk.Person, n ticket.Number) ([]desk.Entry, error) {
	if f.between != nil {
		f.between()
	}
	return f.Desk.Timeline(ctx, viewer, n)
}

func (f *front) fail(refuses, away error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.refuses, f.away = refuses, away
}

func (f *front) failing() (refuses, away error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.refuses, f.away
}

func (f *front) Submit(ctx context.Context, by desk.Person, s desk.Submission) (desk.Receipt, error) {
	if err, _ := f.failing(); err != nil {
		return desk.Receipt{}, err
	}
	return f.Desk.Submit(ctx, by, s)
}

func (f *front) Command(ctx context.Context, by desk.Person, r desk.Request) (desk.Accepted, ticket.Outcome, bool, error) {
	if err, _ := f.failing(); err != nil {
		return desk.Accepted{}, ticket.Outcome{}, false, err
	}
	return f.Desk.Command(ctx, by, r)
}

func (f *front) Ticket(ctx context.Context, viewer desk.Person, n ticket.Number) (desk.View, error) {
	if _, err := f.failing(); err != nil {
		return desk.View{}, err
	}
	return f.Desk.Ticket(ctx, viewer, n)
}

func (f *front) Track(ctx context.Context, n ticket.Number) (desk.Tracking, error) {
	f.mu.Lock()
	f.tracked = append(f.tracked, n)
	f.mu.Unlock()
	return f.Desk.Track(ctx, n)
}

// journal is a log that a test reads.
type journal struct {
	mu sync.Mutex
	b  strings.Builder
}

func (j *journal) Write(line []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(line)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}
