package store_test

import (
	"testing"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fixture is a desk with its people, on a database of its own.
type fixture struct {
	*store.Store
	*app.Steps
	*app.Imports
	*app.Announcements
	staffing  *app.Staffing
	workspace *app.Workspace
	mails     *app.Mails
	tickets   *app.Tickets
	t         testing.TB
	dsn       string
	beside    *pgxpool.Pool // for what the store doesn't offer

	customer, other, agent, second, supervisor, administrator desk.Person
}

// open opens a store under Holesalemart's policy.
func open(t testing.TB) *fixture { return openUnder(t, string(policy.Holesalemart())) }

func openUnder(t testing.TB, document string) *fixture {
	t.Helper()
	return staffed(t, pgtest.Template(t, "store", store.Migrate), document)
}

// staffed fills a migrated database.
func staffed(t testing.TB, dsn, document string) *fixture {
	t.Helper()
	return staffedWith(t, dsn, document, store.Options{MaxConns: 8})
}

func staffedWith(t testing.TB, dsn, document string, opt store.Options) *fixture {
	t.Helper()
	s, err := store.Open(t.Context(), dsn, opt)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(s.Close)
	d := &fixture{Store: s, Steps: app.NewSteps(s, app.MaxCommands), Imports: app.NewImports(s), Announcements: app.NewAnnouncements(s), staffing: app.NewStaffing(s), workspace: app.NewWorkspace(s), mails: app.NewMails(s), tickets: app.NewTickets(s, s, s, nil, nil), t: t, dsn: dsn, beside: connect(t, dsn)}
	if _, _, err := app.PublishPolicy(t.Context(), s, []byte(document), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	d.customer = d.add(ticket.RoleCustomer, "Carla Customer", "carla@example.com")
	d.other = d.add(ticket.RoleCustomer, "Otto Other", "otto@example.com")
	d.agent = d.add(ticket.RoleAgent, "Anna Agent", "anna@desk.example")
	d.second = d.add(ticket.RoleAgent, "Ben Agent", "ben@desk.example")
	d.supervisor = d.add(ticket.RoleSupervisor, "Sue Supervisor", "sue@desk.example")
	d.administrator = d.add(ticket.RoleAdministrator, "Ada Administrator", "ada@desk.example")
	return d
}

func connect(t testing.TB, dsn string) *pgxpool.Pool {
	t.Helper()
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	return pool
}

func (d *fixture) add(role ticket.Role, name, address string) desk.Person {
	d.t.Helper()
	p, err := d.AddPerson(d.t.Context(), desk.Person{Role: role, Name: name, Address: address})
	if err != nil {
		d.t.Fatal(err)
	}
	return p
}

// submission is one that has everything it needs.
func submission() desk.Submission {
	return desk.Submission{
		Number: ticket.NewNumber("HM"), Subject: "Where is my parcel?", Body: "It was due on Monday.",
		Category: "delivery", Priority: policy.PriorityNormal,
	}
}
