package api_test

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/logtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const someNumber = "HM-7Q2K9XM4TD"

// scripted is a fake of the store, the relay and the outcomes, for what the real ones can't be made to do at will: to
// fail, to hang, to be late. It has one ticket, someNumber, which belongs to every customer.
type scripted struct {
	desktest.NoRelay
	err        error // every call fails with it
	hang       bool  // every call waits until its context ends
	panics     any   // every call panics with it
	afterwards error // what follows an acceptance fails with it
	outcome    ticket.Outcome
	undecided  bool
	again      bool

	mu        sync.Mutex
	submitted []desk.Submission
	requested []desk.Request
	filters   []desk.Filter
}

// people are the owners of the tokens.
var people = map[string]desk.Person{
	"customer":      {ID: "P-CCCCCCCCCC", Role: ticket.RoleCustomer, Name: "Clara Customer", Address: "clara@example.com"},
	"agent":         {ID: "P-AAAAAAAAAA", Role: ticket.RoleAgent, Name: "Anna Agent", Handle: "anna"},
	"supervisor":    {ID: "P-SSSSSSSSSS", Role: ticket.RoleSupervisor, Name: "Sam Supervisor", Handle: "sam"},
	"administrator": {ID: "P-DDDDDDDDDD", Role: ticket.RoleAdministrator, Name: "Ada Administrator", Handle: "ada"},
}

func (s *scripted) fail(ctx context.Context) error {
	if s.panics != nil {
		panic(s.panics)
	}
	if s.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	return s.err
}

func (s *scripted) ByToken(_ context.Context, token string, writes bool) (desk.Person, error) {
	if token == "reader" {
		if writes {
			return desk.Person{}, fault.New(fault.Forbidden, "this token only reads")
		}
		token = "agent"
	}
	if p, ok := people[token]; ok {
		return p, nil
	}
	return desk.Person{}, fault.New(fault.Unauthenticated, "unknown")
}

func (s *scripted) Submit(ctx context.Context, _ desk.Person, sub desk.Submission) (desk.Accepted, error) {
	s.mu.Lock()
	s.submitted = append(s.submitted, sub)
	s.mu.Unlock()
	a := s.accepted(1)
	a.Priority, a.Category = sub.Priority, sub.Category
	return a, s.fail(ctx)
}

func (s *scripted) Rate(ctx context.Context, _ desk.Person, r desk.Rating) (desk.Rating, bool, error) {
	return r, true, s.fail(ctx)
}

func (s *scripted) Repeated(context.Context, desk.Person, desk.IdempotencyKey) (desk.Accepted, bool, error) {
	return desk.Accepted{}, false, nil
}

func (s *scripted) Command(ctx context.Context, _ desk.Person, r desk.Request) (desk.Accepted, error) {
	s.mu.Lock()
	s.requested = append(s.requested, r)
	s.mu.Unlock()
	if err := s.fail(ctx); err != nil {
		return desk.Accepted{}, err
	}
	return s.accepted(2), nil
}

func (s *scripted) accepted(seq int64) desk.Accepted {
	return desk.Accepted{Number: someNumber, Seq: seq, At: submittedAt, Policy: 1, Again: s.again}
}

var submittedAt = time.Date(2026, time.November, 30, 10, 0, 0, 0, time.UTC)

func (s *scripted) record() desk.Record {
	requester := people["customer"]
	return desk.Record{
		Number: someNumber, Subject: "Where is my parcel?", Requester: desk.Ref{ID: requester.ID, Name: requester.Name},
		Submitted: submittedAt, Updated: submittedAt.Add(2 * time.Hour), Shown: submittedAt.Add(time.Hour), Policy: 1, LastCommand: 1,
		Submission: ticket.Command{
			Seq: 1, Verb: ticket.VerbSubmit, By: requester.Actor(), At: submittedAt, Message: 1,
			Priority: policy.PriorityNormal, Category: "general",
		},
	}
}

func (s *scripted) Ticket(ctx context.Context, _ desk.Person, n ticket.Number) (desk.Record, error) {
	if n != someNumber {
		return desk.Record{}, fault.New(fault.NotFound, "no such row")
	}
	if s.afterwards != nil {
		return desk.Record{}, s.afterwards
	}
	return s.record(), s.fail(ctx)
}

func (s *scripted) Track(ctx context.Context, n ticket.Number) (desk.Record, error) {
	return s.Ticket(ctx, desk.Person{}, n)
}

func (s *scripted) List(ctx context.Context, f desk.Filter) ([]desk.Record, bool, error) {
	s.mu.Lock()
	s.filters = append(s.filters, f)
	s.mu.Unlock()
	return []desk.Record{s.record()}, true, s.fail(ctx)
}

func (s *scripted) Timeline(ctx context.Context, _ desk.Person, _ ticket.Number) ([]desk.Entry, error) {
	return nil, s.fail(ctx)
}

func (s *scripted) Policy(context.Context, int64) (*policy.Policy, error) {
	return policy.Default(), nil
}

func (s *scripted) Schedule(context.Context) (ticket.EmergencySchedule, error) {
	return ticket.EmergencySchedule{}, nil
}

func (s *scripted) ScheduleSince(context.Context, int64) (ticket.EmergencySchedule, error) {
	return ticket.EmergencySchedule{}, nil
}

func (s *scripted) PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error) {
	return 1, policy.Default(), policy.Holesalemart(), s.fail(ctx)
}

func (s *scripted) Await(context.Context, ticket.Number, int64) (ticket.Outcome, bool, error) {
	return s.outcome, !s.undecided, s.afterwards
}

// serve returns the API on s, and its log.
func serve(t testing.TB, s *scripted, change ...func(*api.Config)) (http.Handler, *logtest.Buffer) {
	t.Helper()
	log := new(logtest.Buffer)
	config := api.Config{
		Desk: app.NewTickets(s, s, s, s, s), People: s, Version: "v0-test",
		Log: slog.New(slog.NewJSONHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug})),
	}
	for _, c := range change {
		c(&config)
	}
	h, err := api.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return h, log
}

// call is one request. With a body its media type is JSON unless media is set.
type call struct {
	method, path string
	as           string // token; empty: none
	body         string
	media        string
	header       http.Header
	from         string // remote address
}

type answer struct {
	*httptest.ResponseRecorder
	problem api.Problem
}

// do sends a request, and checks what holds for every response.
func do(t testing.TB, h http.Handler, c call) answer {
	t.Helper()
	var body io.Reader
	if c.body != "" {
		body = strings.NewReader(c.body)
	}
	r := httptest.NewRequest(c.method, c.path, body)
	for name, values := range c.header {
		r.Header[name] = values
	}
	if c.as != "" {
		r.Header.Set("Authorization", "Bearer "+c.as)
	}
	if c.media == "" {
		c.media = "application/json"
	}
	if c.body != "" && c.media != "none" {
		r.Header.Set("Content-Type", c.media)
	}
	if c.from != "" {
		r.RemoteAddr = c.from
	}
	a := answer{ResponseRecorder: httptest.NewRecorder()}
	h.ServeHTTP(a, r)
	a.check(t, c)
	return a
}

func (a *answer) check(t testing.TB, c call) {
	t.Helper()
	if a.Header().Get("X-Request-ID") == "" || a.Header().Get("X-Content-Type-Options") != "nosniff" {
		t.Errorf("%s %s: headers are %v", c.method, c.path, a.Header())
	}
	if a.Code < 400 || c.path == "/readyz" {
		return
	}
	if media := a.Header().Get("Content-Type"); media != "application/problem+json" {
		t.Errorf("%s %s: a %d is %q", c.method, c.path, a.Code, media)
		return
	}
	if err := json.Unmarshal(a.Body.Bytes(), &a.problem); err != nil {
		t.Errorf("%s %s: the problem is no JSON: %v in %q", c.method, c.path, err, a.Body)
	}
	p := a.problem
	if p.Status != a.Code || p.Type == "" || p.Title == "" || p.Detail == "" || p.RequestID != a.Header().Get("X-Request-ID") {
		t.Errorf("%s %s: a %d with the problem %+v", c.method, c.path, a.Code, p)
	}
}

func (a answer) fields() []string {
	var names []string
	for _, e := range a.problem.Errors {
		names = append(names, e.Field)
	}
	return names
}

func decode[T any](t testing.TB, a answer) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(a.Body.Bytes(), &v); err != nil {
		t.Fatalf("%d %q: %v", a.Code, a.Body, err)
	}
	return v
}
