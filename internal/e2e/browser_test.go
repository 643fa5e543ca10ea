package e2e_test

import (
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// journeys are what people do on the website, by the promise that each shows. They share one desk and run side by
// side, so none may look at more than its own tickets.
var journeys = []struct {
	promise string
	take    func(*testing.T, *stack)
}{
	{"a customer's life from registering to rating", customersLife("newcomer@demo.example", browsertest.Look{})},
	{"a customer's life without scripts, on a phone", customersLife("plain@demo.example", browsertest.Look{Width: 360, Height: 740, NoScript: true})},
	{"an agent works by keyboard", byKeyboard},
	{"a customer and an agent talk without reloading", talk},
	{"two of the staff at one ticket see each other", twoAtOnce},
	{"a supervisor reads the report of promises", report},
	{"visitors can read every page that they find", walkAsVisitor},
	{"customers can read every page that they find", walkAs("customer@demo.example", ".*", "/")},
	{"agents can read every page that they find", walkAs("agent@demo.example", ".*", "/")},
	{"supervisors can read every page of theirs", walkAs("supervisor@demo.example", "/supervision.*", "/supervision")},
	{"administrators can read every page of theirs", walkAs("administrator@demo.example", "/people.*", "/people")},
}

func TestWebsite(t *testing.T) {
	browsertest.Require(t)
	s := start(t, "")
	s.invite("administrator", "administrator@demo.example", "--handle", "administrator-1")
	s.run("demo", "--tickets", "150") // every page shall have something to show
	s.agent.must(http.StatusOK, http.MethodGet, "/tickets", nil)
	t.Run("side by side", func(t *testing.T) {
		for _, j := range journeys {
			t.Run(j.promise, func(t *testing.T) {
				t.Parallel()
				j.take(t, s.of(t))
			})
		}
	})
	t.Run("no page is left out", checkAllWalked)
	t.Run("pages go on when the API was away", func(t *testing.T) { awayAndBack(t, s.of(t)) })
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

// window gives somebody a browser of their own, signed in by a link; "" is a visitor.
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
