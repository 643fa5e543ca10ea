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

// house is the service on a database of its own.
type house struct {
	*account.Service
	t      testing.TB
	db     *store.Store
	beside *pgxpool.Pool // for what neither offers

	customer, agent, administrator desk.Person

	number ticket.Number // of a ticket of the customer's, where a test needs one
}

func open(t testing.TB) *house {
	t.Helper()
	dsn := pgtest.Template(t, "account", store.Migrate)
	db, err := store.Open(t.Context(), dsn, store.Options{MaxConns: 8})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(db.Close)
	beside, err := pgxpool.New(t.Context(), dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(beside.Close)
	if _, _, err := app.PublishPolicy(t.Context(), db, policy.Holesalemart(), "a test", "to begin with"); err != nil {
		t.Fatal(err)
	}
	h := &house{Service: account.New(db.Accounts(), site+"/"), t: t, db: db, beside: beside}
	h.customer = h.add(ticket.RoleCustomer, "Demo Customer", "Customer@demo.example")
	h.agent = h.add(ticket.RoleAgent, "Demo Agent", "agent@demo.example")
	h.administrator = h.add(ticket.RoleAdministrator, "Demo Administrator", "administrator@demo.example")
	return h
}

func (h *house) add(role ticket.Role, name, address string) desk.Person {
	h.t.Helper()
	p, err := h.db.AddPerson(h.t.Context(), desk.Person{Role: role, Name: name, Address: address})
	if err != nil {
		h.t.Fatal(err)
	}
	return p
}

// sql runs a statement beside the service.
func (h *house) sql(statement string, args ...any) {
	h.t.Helper()
	if _, err := h.beside.Exec(h.t.Context(), statement, args...); err != nil {
		h.t.Fatalf("%s: %v", statement, err)
	}
}

// one reads a single value beside the service.
func one[T any](h *house, query string, args ...any) T {
	h.t.Helper()
	rows, err := h.beside.Query(h.t.Context(), query, args...)
	if err != nil {
		h.t.Fatal(err)
	}
	value, err := pgx.CollectExactlyOneRow(rows, pgx.RowTo[T])
	if err != nil {
		h.t.Fatalf("%s: %v", query, err)
	}
	return value
}

// linkFor makes a link and gives its token.
func (h *house) linkFor(address string) string {
	h.t.Helper()
	url, err := h.LinkFor(h.t.Context(), address, time.Hour)
	if err != nil {
		h.t.Fatal(err)
	}
	return tokenOf(h.t, url)
}

func tokenOf(t testing.TB, url string) string {
	t.Helper()
	token, ok := strings.CutPrefix(url, site+"/link/")
	if !ok {
		t.Fatalf("%s is no link of the site", url)
	}
	return token
}

func wantKind(t testing.TB, err error, kind fault.Kind) {
	t.Helper()
	if err == nil || fault.KindOf(err) != kind {
		t.Errorf("got %v (%s), want a fault of kind %s", err, fault.KindOf(err), kind)
	}
}
