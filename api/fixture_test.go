package api_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/inbound"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// fixture is the API on a database, with a person of each role.
type fixture struct {
	*sitetest.Fixture
	http.Handler
	t      testing.TB
	tokens map[string]string
	wakes  *wakeCounter
}

// wakeCounter counts calls of Wake, which follow a change of the emergency schedule.
type wakeCounter struct{ count int }

func (c *wakeCounter) Wake() { c.count++ }

func openFixture(t *testing.T) *fixture { return openFixtureUnder(t, string(policy.Holesalemart())) }

func openFixtureUnder(t *testing.T, document string) *fixture {
	t.Helper()
	o := &fixture{Fixture: sitetest.OpenUnder(t, "api", []byte(document)), t: t, tokens: map[string]string{}, wakes: &wakeCounter{}}
	o.addPerson("clara", ticket.RoleCustomer, "Clara Customer")
	o.addPerson("carl", ticket.RoleCustomer, "Carl Other")
	o.addPerson("anna", ticket.RoleAgent, "Anna Agent")
	o.addPerson("sam", ticket.RoleSupervisor, "Sam Supervisor")
	o.Start(slog.New(slog.DiscardHandler))
	var err error
	o.Handler, err = api.New(api.Config{
		Desk: o.Desk, People: o.Store, Files: o.Files, Incoming: app.NewIncomingReview(o.Store, o.Store, o.Blobs, inbound.NewViewer(o.Blobs)), Accounts: account.New(o.Accounts(), "https://support.example.com"), Contacts: app.NewWorkspace(o.Store), Staffing: o.Staffing, Emergencies: app.NewEmergencies(o.Store, o.Store, o.Store, o.Store, o.wakes),
		Policies: app.NewPolicies(o.Store, o.Store, o.Store, o.wakes), Log: slog.New(slog.DiscardHandler),
		Ready: []api.Check{{Name: "postgresql", Ask: o.Ready}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// addPerson adds a person with a token.
func (o *fixture) addPerson(handle string, role ticket.Role, name string) {
	o.t.Helper()
	var err error
	if o.tokens[handle], err = o.IssueToken(o.t.Context(), o.Employ(handle, role, name).ID, "test"); err != nil {
		o.t.Fatal(err)
	}
}

// do sends a request as one of the fixture's people and fails the test unless the response has the status.
func (o *fixture) do(who string, status int, method, path, body string) answer {
	o.t.Helper()
	a := do(o.t, o, call{method: method, path: path, as: o.tokens[who], body: body})
	if a.Code != status {
		o.t.Fatalf("%s %s as %s: %d %s, want %d", method, path, who, a.Code, a.Body, status)
	}
	return a
}

// submit returns the path of a new ticket.
func (o *fixture) submit(who, body string) string {
	o.t.Helper()
	return o.do(who, 201, "POST", "/api/v1/tickets", body).Header().Get("Location")
}
