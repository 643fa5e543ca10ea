package account_test

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/pgtest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const site = "https://support.example.com"

// fixture is a service on a database of its own.
type fixture struct {
	*account.Service
	t    testing.TB
	db   *store.Store
	pool *pgxpool.Pool // direct access to the database

	customer, agent, administrator desk.Person

	number ticket.Number // of a ticket of the customer, if a test needs one
}

func open(t testing.TB) *fixture {
	t.Helper()
	dsn := pgtest.Template(t, "account", store.Migrate)
	db, err := store.Open(t.Context(), dsn, store.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	pool, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pool.Close)
	if _, _, err := app.PublishPolicy(t.Context(), db, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	h := &fixture{Service: account.New(db.Accounts(), site+"/"), t: t, db: db, pool: pool}
	h.customer = h.add(ticket.RoleCustomer, "Demo Customer", "Customer@demo.example")
	h.agent = h.add(ticket.RoleAgent, "Demo Agent", "agent@demo.example")
	h.administrator = h.add(ticket.RoleAdministrator, "Demo Administrator", "administrator@demo.example")
	return h
}

func (h *fixture) add(role ticket.Role, name, address string) desk.Person {
	h.t.Helper()
	p, err := h.db.AddPerson(h.t.Context(), desk.Person{Role: role, Name: name, Address: address})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// sql runs a statement on the database directly.
func (h *fixture) sql(statement string, args ...any) {
	h.t.Helper()
	if _, err := h.pool.Exec(h.t.Context(), statement, args...); err != nil {
		h.t.Fatalf("%s: %v", statement, err)
	}
}

// one reads a single value from the database directly.
func one[T any](h *fixture, query string, args ...any) T {
	h.t.Helper()
	rows, err := h.pool.Query(h.t.Context(), query, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	return value
}

// linkFor creates a sign-in link and returns its token.
func (h *fixture) linkFor(address string) string {
	h.t.Helper()
	url, err := h.CreateLink(h.t.Context(), address, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return tokenOf(h.t, url)
}

func tokenOf(t testing.TB, url string) string {
	t.Helper()
	token, ok := strings.CutPrefix(url, site+"/link/")
	if !ok {
		t.Fatalf("%s is not a link of the site", url)
	}
	return token
}

func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("got %v (%s), want a fault of kind %s", err, fault.KindOf(err), kind)
	}
}
