// Package demotest provides a desk with the tickets of the demonstration for tests and benchmarks, on a PostgreSQL
// cluster of its own. For tests only.
package demotest

import (
	"context"
	"fmt"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/demo"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

// Many is the number of tickets for measuring pages. The first test of a process that needs them waits for
// a minute or two; those after it copy the database, which takes seconds.
const Many = 100_000

// Desk is a filled desk with some of its people.
type Desk struct {
	*store.Store
	*app.Steps
	DSN                                        string
	Customer, Agent, Supervisor, Administrator desk.Person // the first two have tickets in every status
}

// New returns a desk with a number of the demonstration's tickets under Holesalemart's policy, which is removed when
// the test ends.
func New(t testing.TB, tickets int) *Desk {
	t.Helper()
	dsn := pgtest.Template(t, fmt.Sprintf("demo_%d", tickets), func(ctx context.Context, dsn string) error {
		return fill(ctx, dsn, tickets)
	})
	s, err := store.Open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	d := &Desk{Store: s, Steps: app.NewSteps(s, app.MaxCommands), DSN: dsn}
	for address, person := range map[string]*desk.Person{
		"customer@demo.example": &d.Customer, "agent@demo.example": &d.Agent,
		"supervisor@demo.example": &d.Supervisor, administrator.Address: &d.Administrator,
	} {
		if *person, err = s.PersonByHandleOrAddress(t.Context(), address); err != nil {
			t.Fatal(err)
		}
	}
	return d
}

var administrator = desk.Person{
	Role: "administrator", Name: "Demo Administrator", Address: "administrator@demo.example", Handle: "administrator-1",
}

// filled is a desk that demo.Fill can fill.
type filled struct {
	*store.Store
	*app.Imports
	*app.Staffing
	*app.Workspace
}

func fill(ctx context.Context, dsn string, tickets int) error {
	if err := store.Migrate(ctx, dsn); err != nil {
		return err
	}
	s, err := store.Open(ctx, dsn, store.Options{})
	if err != nil {
		return err
	}
	defer s.Close()
	if _, _, err := s.PublishPolicy(ctx, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		return err
	}
	if _, err := s.AddPerson(ctx, administrator); err != nil {
		return err
	}
	if _, err := demo.Fill(ctx, filled{s, app.NewImports(s), app.NewStaffing(s), app.NewWorkspace(s)}, demo.Options{Tickets: tickets}); err != nil {
		return err
	}
	return settle(ctx, dsn)
}

// settle vacuums and analyses the database, as autovacuum would have over weeks.
func settle(ctx context.Context, dsn string) error {
	conn, err := pgx.Connect(ctx, dsn)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, `VACUUM ANALYZE`)
	return err
}
