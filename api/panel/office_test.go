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
	"sync/atomic"
	"testing"
	"testing/fstest"

	"github.com/PuerkitoBio/goquery"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/api/page"
	"github.com/holesalemart/supportdesk/api/panel"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/officetest"
	"github.com/holesalemart/supportdesk/internal/pagetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// office is the panel on a desk that works.
type office struct {
	*officetest.Office
	t      testing.TB
	server *httptest.Server
	front  *front // what the pages ask
}

func openOffice(t testing.TB) *office {
	t.Helper()
	o := openOfficeOn(t, officetest.Open(t, "panel"))
	o.Hire("clara", ticket.RoleCustomer, "Clara Customer")
	o.Hire("carl", ticket.RoleCustomer, "Carl Other")
	o.Hire("anna", ticket.RoleAgent, "Anna Agent")
	o.Hire("bert", ticket.RoleAgent, "Bert Agent")
	o.Hire("sam", ticket.RoleSupervisor, "Sam Supervisor")
	return o
}

// openOfficeOn opens the panel, and hires nobody.
func openOfficeOn(t testing.TB, with *officetest.Office) *office {
	t.Helper()
	o := &office{Office: with, t: t}
	log := slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelError})) // seen when a test fails
	o.Work(log)
	o.front = &front{Desk: o.Desk}
	site, err := page.New(page.Config{
		Sessions: o.Sessions(), People: o.Store, Policies: o.Desk, TemporalUI: "http://temporal.example/namespaces/default", Log: log,
	})
	if err != nil {
		t.Fatal(err)
	}
	handler, err := api.New(api.Config{
		Desk: o.Desk, People: o.Store, Site: site, Log: log,
		Areas: []page.Area{panel.New(o.front, o.Store, o.Outcomes).Area(), o.entrance()},
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
			return v.Redirect("/desk")
		}),
	}}
}

// submit has somebody write a new ticket, and a supervisor note that it is there: so it has been taken.
func (o *office) submit(who, subject, body string) ticket.Number {
	o.t.Helper()
	receipt, err := o.Desk.Submit(o.t.Context(), o.People[who], desk.Submission{
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
	_, outcome, decided, err := o.Desk.Command(o.t.Context(), o.People[who], r)
	if err != nil || !decided {
		o.t.Fatalf("%s of %s was not decided: %v", r.Verb, r.Number, err)
	}
	return outcome
}

// ticket is a ticket as staff see it.
func (o *office) ticket(n ticket.Number) desk.View {
	o.t.Helper()
	v, err := o.Desk.Ticket(o.t.Context(), o.People["sam"], n)
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
