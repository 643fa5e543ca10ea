package account_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/api/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

func TestPeople_inviteChangeDisable(t *testing.T) {
	s := open(t)
	b := s.as(s.administrator)
	b.get("/people").wants(t, 200, "Demo Agent", "Demo Administrator")
	b.get("/people?role=customer").wants(t, 200, "Demo Customer")
	b.get("/people?q=CUSTOMER@").wants(t, 200, "Demo Customer")
	b.get("/people?q=nobody+at+all").wants(t, 200, "No one matches your search")
	b.get("/people?role=%00&q=%ff&after=%00").wants(t, 422)

	a := b.post("/people", "role", "supervisor", "name", "Demo Invited", "address", "invited@demo.example", "handle", "not a handle")
	a.wants(t, 422, "Must be 1 to 40 letters")
	if a.Find("#name").AttrOr("value", "") != "Demo Invited" || a.Find("#role option[selected]").Text() != "supervisor" {
		t.Error("the typed values are lost")
	}
	b.post("/people", "role", "supervisor", "name", "Demo", "address", s.agent.Address).wants(t, 422, "Someone already has that address.")
	b.post("/people", "role", "supervisor", "name", "Demo Invited", "address", "invited@demo.example").leads(t, "/people")
	page := b.get("/people")
	page.wants(t, 200, "An invitation has been sent", "invited@demo.example")
	newcomer := s.browser()
	newcomer.post(s.mailed("invitation", "invited@demo.example"), "name", "Demo Invited", "password", secret).leads(t, "/desk")

	agent := s.as(s.agent)
	b.post("/people/"+string(s.agent.ID)+"/role", "role", "supervisor", "from", "/people?q=demo").leads(t, "/people?q=demo")
	if got := agent.signedIn(); got != "" {
		t.Errorf("after a change of role %q is still signed in", got)
	}
	agent = s.as(s.agent)
	b.post("/people/"+string(s.agent.ID)+"/disable", "from", "https://evil.example/people").leads(t, "/people")
	if got := agent.signedIn(); got != "" {
		t.Errorf("disabled, %q is still signed in", got)
	}
	b.get("/people").wants(t, 200, "disabled")
	b.post("/people/"+string(s.agent.ID)+"/enable").leads(t, "/people")
	s.as(s.agent)
	b.post("/people/"+string(s.administrator.ID)+"/disable").wants(t, 422, "You can't change your own account here; ask another administrator.")
	b.post("/people/"+string(s.agent.ID)+"/role", "role", "customer").wants(t, 422, "Must be agent, supervisor or administrator.")
	b.post("/people/P-0000000000/disable").wants(t, 404)

	b.post("/people", "role", "agent", "name", "Demo Second", "address", "second@demo.example").leads(t, "/people")
	invitation := s.mailed("invitation", "second@demo.example")
	off, _ := b.get("/people").Find(`form[action$="/withdrawal"]`).Attr("action")
	b.post(off).leads(t, "/people")
	s.browser().get(invitation).wants(t, 404)
}

func TestPeople_pagination(t *testing.T) {
	s := open(t)
	for i := range 60 {
		s.add(ticket.RoleCustomer, fmt.Sprintf("Demo %02d", i), fmt.Sprintf("demo%02d@demo.example", i))
	}
	b := s.as(s.administrator)
	first := b.get("/people?role=customer")
	more, ok := first.Find(`a:contains("Next page")`).Attr("href")
	if n := first.Find("tbody tr").Length(); n != 50 || !ok {
		t.Fatalf("%d on the first page, more %v", n, ok)
	}
	if n := b.get(more).Find("tbody tr").Length(); n != 11 {
		t.Errorf("%d on the second page, want 11", n)
	}
}

// Every route is listed with the roles that may use it.
func TestRoutes_requireTheirRole(t *testing.T) {
	s := open(t)
	visitors := map[ticket.Role]*browser{"": s.browser()}
	for _, p := range []desk.Person{s.customer, s.agent, s.add(ticket.RoleSupervisor, "Demo Supervisor", "supervisor@demo.example"), s.administrator} {
		visitors[p.Role] = s.as(p)
	}
	for _, r := range account.New(s.service, nil, nil, nil).Area().Routes {
		if r.Access.Allows == nil || r.Path == "/account/sign-out-everywhere" {
			continue
		}
		for role, b := range visitors {
			var a answer
			if r.Method == "GET" {
				a = b.get(r.Path)
			} else {
				a = b.post(r.Path)
			}
			refused := a.status == 403 || a.status == 401 || a.status == 303 && strings.HasPrefix(a.to, "/sign-in?")
			if allowed := role != "" && r.Access.Allows(role); allowed == refused {
				t.Errorf("%s %s as %q: %d to %s", r.Method, r.Path, role, a.status, a.to)
			}
		}
	}
}
