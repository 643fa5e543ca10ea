package api_test

import (
	"log/slog"
	"net/http"
	"testing"

	"github.com/holesalemart/supportdesk/api"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/officetest"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencies is the API on a desk that works.
type office struct {
	*officetest.Fixture
	http.Handler
	t      testing.TB
	tokens map[string]string
	bell   *bell
}

// bell counts how often it was told that the gate was changed.
type bell struct{ rung int }

func (b *bell) Wake() { b.rung++ }

func openOffice(t *testing.T) *office { return openOfficeUnder(t, string(policy.Holesalemart())) }

func openOfficeUnder(t *testing.T, document string) *office {
	t.Helper()
	o := &office{Fixture: officetest.OpenUnder(t, "api", []byte(document)), t: t, tokens: map[string]string{}, bell: &bell{}}
	o.hire("clara", ticket.RoleCustomer, "Clara Customer")
	o.hire("carl", ticket.RoleCustomer, "Carl Other")
	o.hire("anna", ticket.RoleAgent, "Anna Agent")
	o.hire("sam", ticket.RoleSupervisor, "Sam Supervisor")
	o.Start(slog.New(slog.DiscardHandler))
	var err error
	o.Handler, err = api.New(api.Config{
		Desk: o.Desk, People: o.Store, Staffing: o.Staffing, Emergencies: app.NewEmergencies(o.Store, o.Store, o.Store, o.Store, o.bell),
		Policies: app.NewPolicies(o.Store, o.Store, o.Store, o.bell), Log: slog.New(slog.DiscardHandler),
		Ready: []api.Check{{Name: "postgresql", Ask: o.Ready}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// hire adds somebody who has a token.
func (o *office) hire(handle string, role ticket.Role, name string) {
	o.t.Helper()
	var err error
	if o.tokens[handle], err = o.IssueToken(o.t.Context(), o.Employ(handle, role, name).ID, "test"); err != nil {
		o.t.Fatal(err)
	}
}

// do asks as one of the office's people, and insists on a status.
func (o *office) do(who string, status int, method, path, body string) answer {
	o.t.Helper()
	a := do(o.t, o, call{method: method, path: path, as: o.tokens[who], body: body})
	if a.Code != status {
		o.t.Fatalf("%s %s as %s: %d %s, want %d", method, path, who, a.Code, a.Body, status)
	}
	return a
}

// submit gives the path of a new ticket.
func (o *office) submit(who, body string) string {
	o.t.Helper()
	return o.do(who, 201, "POST", "/api/v1/tickets", body).Header().Get("Location")
}
