package account_test

import (
	"context"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/account"
	"github.com/holesalemart/supportdesk/api/page"
	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/sitetest"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// hookedDesk is a desk with a hook that runs just before tickets are reassigned.
type hookedDesk struct {
	*app.Tickets
	before func([]ticket.Number)
}

func (c *hookedDesk) Bulk(ctx context.Context, by desk.Person, numbers []ticket.Number, seen map[ticket.Number]int, r desk.Request) ([]desk.Result, error) {
	if c.before != nil {
		c.before(numbers)
	}
	return c.Tickets.Bulk(ctx, by, numbers, seen, r)
}

type deskFixture struct {
	*sitetest.Fixture
	t          *testing.T
	hookedDesk *hookedDesk
	base       string
}

func newDeskFixture(t *testing.T) *deskFixture {
	t.Helper()
	o := &deskFixture{Fixture: sitetest.Open(t, "disabling"), t: t}
	o.Employ("ada", ticket.RoleAdministrator, "Ada Administrator")
	o.Employ("anna", ticket.RoleAgent, "Anna Agent")
	o.Employ("bert", ticket.RoleAgent, "Bert Agent")
	o.Employ("carla", ticket.RoleAgent, "Carla Agent")
	o.Employ("clara", ticket.RoleCustomer, "Clara Customer")
	log := slog.New(slog.DiscardHandler)
	o.Start(log)
	o.hookedDesk = &hookedDesk{Tickets: o.Desk}
	pages := account.New(accounts.New(o.Accounts(), "http://support.example"), nil, o.hookedDesk, o.Staffing)
	o.base = o.Serve(page.Config{Log: log}, "/people", pages.Area()).URL
	return o
}

// createTickets submits tickets and assigns them to an agent.
func (o *deskFixture) createTickets(agent string, subjects ...string) (numbers []ticket.Number) {
	o.t.Helper()
	for _, subject := range subjects {
		r, err := o.Desk.Submit(o.t.Context(), o.People["clara"], desk.Submission{Subject: subject, Body: "."})
		if err != nil {
			o.t.Fatal(err)
		}
		o.assign(r.Number, agent)
		numbers = append(numbers, r.Number)
	}
	return numbers
}

func (o *deskFixture) assign(n ticket.Number, agent string) {
	o.t.Helper()
	if outcome := o.Command(o.People["ada"], desk.Request{Number: n, Verb: ticket.VerbAssign, Agent: agent}); outcome.Refused {
		o.t.Fatal(outcome)
	}
}

func (o *deskFixture) of(agent string) int {
	return o.Count(`SELECT count(*) FROM tickets WHERE status <> 'closed' AND assignee = $1`, o.People[agent].ID)
}

func (o *deskFixture) disabled(who string) bool {
	return o.Count(`SELECT count(*) FROM people WHERE id = $1 AND disabled_at IS NOT NULL`, o.People[who].ID) == 1
}

func (o *deskFixture) disabling(who string) string {
	return "/people/" + string(o.People[who].ID) + "/disable"
}

func (o *deskFixture) ada() *sitetest.Browser {
	b := sitetest.NewBrowser(o.t, o.base)
	b.SignIn("ada")
	return b
}

func wants(t *testing.T, a sitetest.Response, status int, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(a.Line("main"), w) {
			t.Errorf("the page lacks %q: %s", w, a.Line("main"))
		}
	}
	if a.Status != status {
		t.Fatalf("status %d, want %d: %s", a.Status, status, a.Line("main"))
	}
}

func TestDisable_reassignsTickets(t *testing.T) {
	o := newDeskFixture(t)
	o.createTickets("anna", "One", "Two", "Three")
	p := browsertest.Open(t, o.base, browsertest.Look{NoScript: true})
	p.Goto("/let-in/ada")
	p.Click("Disable Anna Agent")
	p.See("Disable the account of Anna Agent?", "signed out everywhere", "They have 3 open tickets")
	if o.disabled("anna") {
		t.Fatal("opening the page disabled the account")
	}
	p.Click("Assign them to")
	p.Choose("New assignee", "Carla Agent")
	p.ClickOn("main button.danger")
	p.See("3 tickets are reassigned.", "The account of Anna Agent is disabled", "They have no open tickets.")
	if !o.disabled("anna") || o.of("anna") != 0 || o.of("carla") != 3 {
		t.Errorf("disabled %v, Anna has %d and Carla %d", o.disabled("anna"), o.of("anna"), o.of("carla"))
	}
}

func TestDisable_layout(t *testing.T) {
	o := newDeskFixture(t)
	o.createTickets("anna", "One")
	p := browsertest.Open(t, o.base, browsertest.Look{})
	p.Goto("/let-in/ada")
	p.Click("Disable Anna Agent")
	p.See("Disable the account of Anna Agent?", "open ticket")
	p.CheckReadable("disable")
}

func TestDisable_distributesTicketsInAGroup(t *testing.T) {
	o := newDeskFixture(t)
	o.createTickets("anna", "One", "Two", "Three", "Four")
	o.SQL(`UPDATE people SET away_since = now(), away_until = 'infinity' WHERE handle = 'carla'`)
	wants(t, o.ada().Ask(http.MethodPost, o.disabling("anna"), url.Values{"tickets": {"group"}, "group": {"everyone"}}), 200, "4 tickets are reassigned.")
	if o.of("bert") != 4 || o.of("carla") != 0 {
		t.Errorf("Bert has %d, Carla, who is away, %d", o.of("bert"), o.of("carla"))
	}
}

func TestDisable_reportsFailuresAndContinues(t *testing.T) {
	o := newDeskFixture(t)
	numbers := o.createTickets("anna", "One", "Two")
	taken := false
	o.hookedDesk.before = func([]ticket.Number) {
		if !taken {
			taken = true
			o.assign(numbers[0], "carla")
		}
	}
	b := o.ada()
	form := url.Values{"tickets": {"agent"}, "agent": {"bert"}}
	wants(t, b.Ask(http.MethodPost, o.disabling("anna"), form), 200,
		"1 ticket is reassigned.", "1 ticket was not reassigned", string(numbers[0])+": someone else has already taken the ticket")
	if o.of("carla") != 1 || o.of("bert") != 1 {
		t.Errorf("Carla has %d, Bert %d", o.of("carla"), o.of("bert"))
	}
	// Left at first, and reassigned later on the same page.
	o.createTickets("carla", "Three")
	wants(t, b.Ask(http.MethodPost, o.disabling("carla"), url.Values{"tickets": {"leave"}}), 303)
	wants(t, b.Ask(http.MethodGet, o.disabling("carla"), nil), 200, "The account of Carla Agent is disabled", "They have 2 open tickets")
	wants(t, b.Ask(http.MethodPost, o.disabling("carla"), form), 200, "2 tickets are reassigned.")
}

func TestDisable_rejectsInvalidAssignees(t *testing.T) {
	o := newDeskFixture(t)
	o.createTickets("anna", "One")
	for _, form := range []url.Values{
		{"tickets": {"agent"}, "agent": {"anna"}}, {"tickets": {"agent"}, "agent": {"clara"}}, {"tickets": {"agent"}},
		{"tickets": {"group"}, "group": {"none"}}, {"tickets": {"close"}}, {"tickets": {"nonsense"}},
	} {
		wants(t, o.ada().Ask(http.MethodPost, o.disabling("anna"), form), 422, "Choose a new assignee for the open tickets.")
		if o.disabled("anna") {
			t.Fatalf("%v disabled the account", form)
		}
	}
	// A selection without its radio button is rejected.
	wants(t, o.ada().Ask(http.MethodPost, o.disabling("anna"), url.Values{"tickets": {"leave"}, "agent": {"bert"}}), 422, "Choose either to leave")
	wants(t, o.ada().Ask(http.MethodPost, o.disabling("anna"), url.Values{"agent": {"bert"}}), 422, "Choose what to do with the open tickets.")
	if o.disabled("anna") {
		t.Fatal("the account is disabled")
	}
	b := sitetest.NewBrowser(t, o.base)
	b.SignIn("bert")
	wants(t, b.Ask(http.MethodGet, o.disabling("anna"), nil), 403)
	wants(t, b.Ask(http.MethodPost, o.disabling("anna"), url.Values{}), 403)
}

func TestDisable_closesCustomerTicketsOnRequest(t *testing.T) {
	o := newDeskFixture(t)
	o.createTickets("anna", "One", "Two")
	b := o.ada()
	wants(t, b.Ask(http.MethodGet, o.disabling("clara"), nil), 200, "They have 2 open tickets", "handled as usual")
	wants(t, b.Ask(http.MethodPost, o.disabling("clara"), url.Values{"tickets": {"leave"}}), 303)
	if o.of("anna") != 2 {
		t.Errorf("%d are open", o.of("anna"))
	}
	wants(t, b.Ask(http.MethodPost, o.disabling("clara"), url.Values{"tickets": {"close"}}), 200, "2 tickets are closed.")
	if o.of("anna") != 0 {
		t.Errorf("%d are open", o.of("anna"))
	}
}
