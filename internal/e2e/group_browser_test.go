package e2e_test

import (
	"net/http"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// whileAway is a group of two, one of whom leaves for a while and comes back.
func whileAway(t *testing.T, s *stack) {
	s.run("people add", "--role", "agent", "--name", "Demo Leaver", "--email", "leaver@demo.example", "--handle", "leaver")
	s.run("people add", "--role", "agent", "--name", "Demo Stayer", "--email", "stayer@demo.example", "--handle", "stayer")
	supervisor := s.window("supervisor@demo.example", browsertest.Look{})
	supervisor.Goto("/supervision")
	supervisor.Click("Groups")
	supervisor.Fill("Handle", "pair")
	supervisor.Fill("Title", "Demo Pair")
	supervisor.Click("Create group")
	for _, name := range []string{"Demo Leaver", "Demo Stayer"} {
		supervisor.Choose("New member of Demo Pair", name)
		supervisor.Click("Add to Demo Pair")
		supervisor.SeeOn("section[aria-labelledby=group-pair] table", name)
	}

	leaver := s.window("leaver@demo.example", browsertest.Look{})
	leaver.Goto("/desk")
	leaver.ClickOn(`a[href="/desk/away"]`)
	leaver.Click("I'm away")
	leaver.See("You are away")
	checkHere(t, leaver, asUsual)
	for _, subject := range []string{"The axolotl tank leaks", "The axolotl pump hums"} {
		checkGiven(t, s, subject, "stayer")
	}
	supervisor.Reload()
	supervisor.SeeOn("section[aria-labelledby=group-pair] tr:has(.badge-warn)", "Demo Leaver")
	supervisor.SeeOn("section[aria-labelledby=group-pair] tr:not(:has(.badge-warn))", "Demo Stayer 2 available")
	checkHere(t, supervisor, asUsual)
	leaver.Click("I'm back")
	leaver.See("You are available")
	checkGiven(t, s, "The axolotl tank leaks again", "leaver")
	leaver.Goto("/desk?queue=mine")
	leaver.SeeOn("#rows", "The axolotl tank leaks again")
}

// checkGiven submits a delivery's ticket and sees whom the rules give it to.
func checkGiven(t *testing.T, s *stack, subject, handle string) {
	t.Helper()
	number := s.customer.must(http.StatusCreated, http.MethodPost, "/tickets", words{"subject": subject, "body": "Help!", "category": "delivery"}).number(t)
	if v := s.agent.awaitStatus(number, "open"); v.Assignee == nil || v.Assignee.Handle != handle {
		t.Errorf("%s went to %+v, not to %s", number, v.Assignee, handle)
	}
}
