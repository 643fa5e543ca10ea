// Package sitetest provides a working desk to tests of pages and the API: a store with a database of its own, people, a
// loop that takes the steps in place of workflows, and an HTTP client that signs in. It needs no Temporal. For tests
// only.
package sitetest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/blob"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Fixture is a store with a policy and people. Work starts the desk.
type Fixture struct {
	*store.Store
	*app.Steps
	*app.Imports
	DSN    string                 // of its database; empty if created by New
	People map[string]desk.Person // by handle

	Staffing  *app.Staffing
	Workspace *app.Workspace

	Files    *app.Files
	Blobs    *blob.Store
	Desk     *app.Tickets
	Outcomes *store.Outcomes
	Stepper  *Stepper

	t testing.TB
}

// Open returns a Fixture with Holesalemart's policy, without people. Fixtures with the same name share a database
// template.
func Open(t testing.TB, name string) *Fixture {
	t.Helper()
	return OpenUnder(t, name, policy.Holesalemart())
}

// OpenUnder is like Open with another policy.
func OpenUnder(t testing.TB, name string, document []byte) *Fixture {
	t.Helper()
	dsn := pgtest.Template(t, name, store.Migrate)
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, _, err := app.PublishPolicy(t.Context(), s, document, "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	o := New(t, s)
	o.DSN = dsn
	return o
}

// Limit applies the rate limits of production. It must be called before Start.
func (o *Fixture) Limit() {
	o.t.Helper()
	s, err := store.Open(o.t.Context(), o.DSN, store.Options{Allowances: 1})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(s.Close)
	o.Store, o.Files = s, app.NewFiles(s, o.Blobs, desk.FileLimits{})
}

// New returns a Fixture for a store that has a policy.
func New(t testing.TB, s *store.Store) *Fixture {
	t.Helper()
	blobs, err := blob.Open(t.Context(), "file://"+t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	return &Fixture{
		Files: app.NewFiles(s, blobs, desk.FileLimits{}), Blobs: blobs,
		Store: s, Steps: app.NewSteps(s, app.MaxCommands), Imports: app.NewImports(s), Staffing: app.NewStaffing(s), Workspace: app.NewWorkspace(s),
		People: map[string]desk.Person{}, t: t,
	}
}

// Start starts the desk: steps are taken for all commands until the test ends.
func (o *Fixture) Start(log *slog.Logger) {
	o.Outcomes = store.NewOutcomes(o.Store, log)
	o.Stepper = &Stepper{store: o.Store, steps: o.Steps, wake: make(chan struct{}, 1)}
	o.Run(o.Outcomes.Run)
	o.Run(o.Stepper.run)
	o.Desk = app.NewTickets(o.Store, o.Store, o.Store, o.Outcomes, o.Stepper)
}

// Run runs a function until the test ends, and fails the test with its error.
func (o *Fixture) Run(run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(func() { stop(); running.Wait() })
}

// Employ adds a person with the address handle@example.com. Only staff have a handle.
func (o *Fixture) Employ(handle string, role ticket.Role, name string) desk.Person {
	o.t.Helper()
	p := desk.Person{Role: role, Name: name, Address: handle + "@example.com"}
	if role.Staff() {
		p.Handle = handle
	}
	p = o.Add(p)
	o.People[handle] = p
	return p
}

// Add adds a person.
func (o *Fixture) Add(p desk.Person) desk.Person {
	o.t.Helper()
	p, err := o.AddPerson(o.t.Context(), p)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// Command sends a command without the pages, and waits for its outcome for as long as it takes.
func (o *Fixture) Command(by desk.Person, r desk.Request) ticket.Outcome {
	o.t.Helper()
	a, err := o.Desk.Send(o.t.Context(), by, r)
	if err != nil {
		o.t.Fatalf("%s of %s: %v", r.Verb, r.Number, err)
	}
	outcome, decided, err := o.Outcomes.Await(o.t.Context(), a.Number, a.Seq)
	if err != nil || !decided {
		o.t.Fatalf("%s of %s is not decided: %v", r.Verb, r.Number, err)
	}
	return outcome
}

// SQL executes a statement that the store does not offer, for example to change a time.
func (o *Fixture) SQL(sql string, args ...any) {
	o.t.Helper()
	conn, err := pgx.Connect(o.t.Context(), o.DSN)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = conn.Close(o.t.Context()) }()
	if _, err := conn.Exec(o.t.Context(), sql, args...); err != nil {
		o.t.Fatal(err)
	}
}

// Count returns the number that a query selects.
func (o *Fixture) Count(sql string, args ...any) (n int) {
	o.t.Helper()
	conn, err := pgx.Connect(o.t.Context(), o.DSN)
	if err != nil {
		o.t.Fatal(err)
	}
	defer func() { _ = conn.Close(o.t.Context()) }()
	if err := conn.QueryRow(o.t.Context(), sql, args...).Scan(&n); err != nil {
		o.t.Fatal(err)
	}
	return n
}
