package account_test

import (
	"strings"
	"testing"
	"time"

	accounts "github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// window is a real browser in which a person has signed in by a link.
func (s *fixture) window(p desk.Person) *browsertest.Page {
	s.t.Helper()
	browsertest.Require(s.t)
	link, err := s.service.CreateLink(s.t.Context(), p.Address, time.Hour)
	if err != nil {
		s.t.Fatal(err)
	}
	w := browsertest.Open(s.t, s.server.URL, browsertest.Look{})
	w.Goto("/account") // asks to sign in
	w.Goto(strings.TrimPrefix(link, s.server.URL))
	w.Forgive("404") // where people begin is another area's
	w.ClickOn("main form button")
	w.SeeOn(".avatar", "")
	w.Goto("/account")
	return w
}

const longName = "Demo Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft 日本語の名前"

func TestBrowser_reauthenticationKeepsTheForm(t *testing.T) {
	s := open(t)
	w := s.window(s.customer)
	s.age(16 * time.Minute)
	w.Fill("Description", longName[:60])
	w.Choose("Access", "read and write")
	w.Click("Create token")
	w.At(`/sign-in/again\?next=%2Faccount`)
	w.CheckReadable("sign-in-again")
	w.Click("Email me a link")
	w.See("Check your inbox")
	w.Goto(s.mailed("sign-in", s.customer.Address))
	w.ClickOn("main form button")
	w.At("/account")
	w.See("What you typed is back and has not been sent yet")
	w.CheckReadable("account-refilled")
	w.Click("Create token")
	w.See("Copy it now", "read and write")
	w.CheckReadable("account-token")
	token := strings.TrimSpace(w.Read("code.token"))
	if p, err := s.db.ByToken(t.Context(), token, true); err != nil || p.ID != s.customer.ID {
		t.Fatalf("the token %q: %+v, %v", token, p, err)
	}
	w.Goto("/people/events")
	w.Forgive("403", "ERR_CACHE_MISS")
	browsertest.Value[any](w, "history.back()")
	w.Until("the browser has gone back", `location.pathname !== "/people/events"`)
	if text := browsertest.Value[string](w, "document.documentElement.outerHTML"); strings.Contains(text, token) {
		t.Error("the back button shows the token again")
	}
}

func TestBrowser_securityEvents(t *testing.T) {
	s := open(t)
	s.setPassword(s.administrator)
	long := s.add(ticket.RoleAgent, longName, "a-very-long-address-of-somebody-at-a-department@a-rather-long-domain.demo.example")
	for _, err := range []error{
		s.service.SetRole(t.Context(), s.administrator, long.ID, ticket.RoleSupervisor),
		s.service.RequestLink(t.Context(), accounts.Browser{Source: "2001:db8:85a3:1234:5678:8a2e:370:7334"}, long.Address),
		s.service.Disable(t.Context(), s.administrator, long.ID),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	w := s.window(s.administrator)
	w.Goto("/people")
	w.Click("Security events")
	w.See("Role changed", "from agent to supervisor")
	w.CheckReadable("events")
	w.Choose("Kind of event", "Account disabled")
	w.Click("Show")
	w.At(`/people/events\?.*kind=disabled`)
	w.SeeNot("from agent to supervisor")
	w.Goto("/people")
	s.age(16 * time.Minute)
	w.Fill("Name", longName)
	w.Fill("Email address", "next@demo.example")
	w.Choose("Role", "administrator")
	w.Click("Send invitation")
	w.Fill("Current password", secret)
	w.Click("Continue")
	w.See("What you typed is back and has not been sent yet")
	w.CheckReadable("people-refilled")
	w.Click("Send invitation")
	w.See("An invitation has been sent")
	if err := s.service.RequestReset(t.Context(), accounts.Browser{Source: "192.0.2.1"}, s.agent.Address); err != nil {
		t.Fatal(err)
	}
	if _, err := s.db.IssueToken(t.Context(), s.agent.ID, "a test"); err != nil {
		t.Fatal(err)
	}
	w.Goto(s.mailed("reset", s.agent.Address))
	w.See("Keep my API tokens working")
	w.CheckReadable("reset")
}

func TestBrowser_addresses(t *testing.T) {
	s := open(t)
	s.setPassword(s.customer)
	w := s.window(s.customer)
	const long = "a-very-long-address-of-somebody-at-a-department@a-rather-long-domain.demo.example"
	for _, address := range []string{"home@demo.example", long} {
		w.FillIn("#address", address)
		w.FillIn("#address-current", secret)
		w.Click("Add address")
		w.See("We have sent a link to that address.")
		link := s.mailed("address", address)
		owner := browsertest.Open(t, s.server.URL, browsertest.Look{})
		owner.Goto(link)
		owner.See("Only that account can add it.")
		if address == long {
			owner.CheckReadable("address-link-of-another")
		}
		w.Goto(link)
		w.Click("Add this address")
		w.See(address + " is now one of your addresses.")
	}
	w.Choose("Further address", "home@demo.example")
	w.FillIn("#further-current", secret)
	w.Click("Remove")
	w.CheckReadable("account-addresses-sure")
	w.Click("Yes, do it")
	w.See("The address has been removed")
	w.CheckReadable("account-addresses")
	w.FillIn("#further-current", "not it, and long enough")
	w.Click("Make primary")
	w.SeeOn("#further-current-error", "Is not your password.")
	w.CheckReadable("account-addresses-refused")
}
