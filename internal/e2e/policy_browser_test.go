package e2e_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// newPolicy is a supervisor who writes another version, publishes it and moves a ticket to it, and a customer who reads
// what became different.
func newPolicy(t *testing.T, s *stack) {
	const was, is = "target: 10d", "target: 8d"
	old := s.customer.submit("The vicuna scarf is short", "Under the old policy.")
	due := s.agent.awaitStatus(old, "new").Clocks["resolution"].Due
	p := s.window("supervisor@demo.example", browsertest.Look{})
	p.Goto("/supervision")
	p.Click("Policies")
	p.Click("New version")
	p.See("No changes")
	p.Settle() // nothing checks what is typed before the scripts are there
	mark(p, "name:")
	p.Type("title:")
	p.SeeOn("#findings", "Line") // as one types
	p.SeeOn("#findings .problems", "title")
	checkHere(t, p, asUsual)
	mark(p, "title:")
	p.Type("name:")
	mark(p, was)
	p.Type(is)
	p.SeeOn("#findings .differences", "Resolution: 10 days → 8 days")
	p.Until("an example is two days earlier than today", `[...document.querySelectorAll("#findings tbody tr")].some(r => {
		const [, , is, was] = [...r.querySelectorAll("td")].map(d => Date.parse(d.querySelector("time")?.dateTime));
		return was - is === 2 * 24 * 3600e3})`)
	checkHere(t, p, asUsual)
	p.Fill("Reason for the change", "We have become faster.")
	p.Click("Publish")
	p.At("/supervision/policies")
	p.See("Version 2 has been published")

	fresh := s.agent.awaitStatus(s.customer.submit("The vicuna scarf is long", "Under the new policy."), "new")
	if unmoved := s.agent.ticket(old); fresh.Policy != 2 || unmoved.Policy != 1 || !unmoved.Clocks["resolution"].Due.Equal(due) {
		t.Errorf("the new ticket is under version %d, and the old one's promise of %s is %+v", fresh.Policy, due, unmoved)
	}
	reader := s.window("customer@demo.example", browsertest.Look{})
	reader.Goto("/policy")
	reader.SeeOn("#changes", "Resolution: 10 days → 8 days")
	reader.See("We have become faster.")
	adopt(t, s, p, old)
	if v := s.agent.ticket(old); !v.Clocks["resolution"].Due.Equal(due.Add(-2 * 24 * time.Hour)) {
		t.Errorf("what was promised by %s is now %+v", due, v.Clocks["resolution"])
	}
}

// adopt moves one ticket to version 2 from its page, and reads in its audit what became of it.
func adopt(t *testing.T, s *stack, p *browsertest.Page, number string) {
	p.Click("Version 2")
	p.Fill("Or these tickets", number)
	p.Click("Dry run")
	p.SeeOn("#dry-run", "1 ticket would be moved: 1 target due earlier")
	checkHere(t, p, asUsual)
	if v := s.agent.ticket(number); v.Policy != 1 {
		t.Errorf("the dry run moved it to version %d", v.Policy)
	}
	p.Click("Move 1 ticket to version 2")
	p.SeeOn("#moved", "1 ticket is being moved")
	eventually(t, "the ticket is under version 2", func() (bool, string) {
		v := s.agent.ticket(number)
		return v.Policy == 2 && !v.Pending, strings.Join(kinds(s.agent.timeline(number)), " ")
	})
	p.SeeOn("#audit", "moved from version 1") // without a reload
	p.Goto("/supervision/policies/2")
	p.See("moved from version 1", number)
}

// mark selects a text in the editor, as dragging over it does.
func mark(p *browsertest.Page, text string) {
	p.Until(text+" is marked", `(e => {const at = e.value.indexOf("`+text+`"); e.focus(); e.setSelectionRange(at, at + `+
		`"`+text+`".length); return at >= 0})(document.querySelector("#document"))`)
}
