// Package officetest sets up a working desk for tests of pages and the API: a store on a database of its own, people, a
// loop that takes the steps in place of workflows, and an HTTP client that signs in. It needs no Temporal. For tests
// only.
package officetest

import (
	"context"
	"log/slog"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Office is a store with a policy and people. Work starts the desk.
type Office struct {
	*store.Store
	*app.Steps
	*app.Imports
	DSN    string                 // of its database; empty if created by On
	People map[string]desk.Person // by handle

	Staffing  *app.Staffing
	Workspace *app.Workspace

	Desk     *app.Tickets
	Outcomes *store.Outcomes
	Clerk    *Clerk

	t testing.TB
}

// Open returns an Office with Holesalemart's policy, without people. Offices with the same name share a database
// template.
func Open(t testing.TB, name string) *Office {
	t.Helper()
	return OpenUnder(t, name, policy.Holesalemart())
}

// OpenUnder is like Open with another policy.
func OpenUnder(t testing.TB, name string, document []byte) *Office {
	t.Helper()
	dsn := pgtest.Template(t, name, store.Migrate)
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	if _, _, err := s.PublishPolicy(t.Context(), document, "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	o := On(t, s)
	o.DSN = dsn
	return o
}

// Limit applies the rate limits of production. It must be called before Work.
func (o *Office) Limit() {
	o.t.Helper()
	s, err := store.Open(o.t.Context(), o.DSN, store.Options{Allowances: 1})
	if err != nil {
		o.t.Fatal(err)
	}
	o.t.Cleanup(s.Close)
	o.Store = s
}

// On returns an Office for a store that has a policy.
func On(t testing.TB, s *store.Store) *Office {
	return &Office{
		Store: s, Steps: app.NewSteps(s, app.MaxCommands), Imports: app.NewImports(s), Staffing: app.NewStaffing(s), Workspace: app.NewWorkspace(s),
		People: map[string]desk.Person{}, t: t,
	}
}

// Work starts the desk: steps are taken for all commands until the test ends.
func (o *Office) Work(log *slog.Logger) {
	o.Outcomes = store.NewOutcomes(o.Store, log)
	o.Clerk = &Clerk{store: o.Store, steps: o.Steps, bell: make(chan struct{}, 1)}
	o.Keep(o.Outcomes.Run)
	o.Keep(o.Clerk.run)
	o.Desk = app.NewTickets(o.Store, o.Store, o.Store, o.Outcomes, o.Clerk)
}

// Keep runs a function until the test ends, and fails the test with its error.
func (o *Office) Keep(run func(context.Context) error) {
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := run(ctx); err != nil {
			o.t.Error(err)
		}
	})
	o.t.Cleanup(func() { stop(); running.Wait() })
}

// Hire adds a person with the address handle@example.com. Only staff have a handle.
func (o *Office) Hire(handle string, role ticket.Role, name string) desk.Person {
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
func (o *Office) Add(p desk.Person) desk.Person {
	o.t.Helper()
	p, err := o.AddPerson(o.t.Context(), p)
	if err != nil {
		o.t.Fatal(err)
	}
	return p
}

// SQL executes a statement that the store does not offer, for example to change a time.
func (o *Office) SQL(sql string, args ...any) {
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
func (o *Office) Count(sql string, args ...any) (n int) {
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
