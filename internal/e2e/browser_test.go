package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// journey is what people do on the website, by the promise that it shows.
type journey struct {
	promise string
	take    func(*testing.T, *stack)
}

// journeys share one desk and run side by side, so none may look at more than its own tickets.
var journeys = []journey{
	{"a customer's life from registering to rating", customersLife("newcomer@demo.example", browsertest.Look{})},
	{"a customer's life without scripts, on a phone", customersLife("plain@demo.example", browsertest.Look{Width: 360, Height: 740, NoScript: true})},
	{"an agent works by keyboard", byKeyboard},
	{"a customer and an agent talk without reloading", talk},
	{"two of the staff at one ticket see each other", twoAtOnce},
	{"a supervisor reads the report of promises", report},
	{"a supervisor publishes a policy and moves a ticket to it", newPolicy},
	{"an escalation is acknowledged by the link in its mail", byEscalationMail},
	{"rules give no ticket to an agent who is away", whileAway},
}

// website is the policy of the desk that the journeys share: Holesalemart's, under which an urgent ticket is overdue at
// once and deliveries go to a group.
func website() string {
	return strings.Replace(string(policy.Holesalemart()), "72h, counts: business_hours", "72h, counts: calendar", 1) + `
priorities: {urgent: {first_response: 1s}}
assignment:
  - {categories: [delivery], group: pair, by: round_robin}
`
}

func TestWebsite(t *testing.T) {
	browsertest.Require(t)
	s := start(t, website())
	s.invite("administrator", "administrator@demo.example", "--handle", "administrator-1")
	s.run("demo", "--tickets", "150") // every page shall have something to show
	s.quarantine()
	s.agent.must(http.StatusOK, http.MethodGet, "/tickets", nil)
	t.Run("side by side", func(t *testing.T) { sideBySide(t, s, append(walks(asUsual, ".*"), journeys...)) })
	t.Run("an emergency moves every deadline and is announced", func(t *testing.T) { emergencies(t, s.of(t)) })
	t.Run("no page is left out", checkAllWalked)
	t.Run("pages go on when the API was away", func(t *testing.T) { awayAndBack(t, s.of(t)) })
}

func sideBySide(t *testing.T, s *stack, all []journey) {
	for _, j := range all {
		t.Run(j.promise, func(t *testing.T) {
			t.Parallel()
			j.take(t, s.of(t))
		})
	}
}

// of is the same desk for a part of the test.
func (s *stack) of(t testing.TB) *stack {
	part := *s
	part.t = t
	for _, p := range []*person{&part.customer, &part.other, &part.agent, &part.supervisor} {
		p.stack = &part
	}
	return &part
}

var linkLine = regexp.MustCompile(`https?://\S+/link/\S+`)

// window returns a browser for someone, signed in by a link; "" is a visitor.
func (s *stack) window(address string, look browsertest.Look) *browsertest.Page {
	s.t.Helper()
	p := browsertest.Open(s.t, s.base, look)
	if address != "" {
		link := linkLine.FindString(s.run("people link", "--email", address))
		if link == "" {
			s.t.Fatalf("no link for %s", address)
		}
		p.Goto(strings.TrimSpace(link))
		p.ClickOn("main form button")
		p.SeeOn(".avatar", "")
	}
	return p
}
