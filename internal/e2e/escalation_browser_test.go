package e2e_test

import (
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
	"github.com/holesalemart/supportdesk/internal/mailtest"
)

var escalationLink = regexp.MustCompile(`https?://\S+/e/[^\s>]+`)

// byEscalationMail is an agent who is notified of a missed target by mail, away from their desk, while a colleague has the
// ticket open.
func byEscalationMail(t *testing.T, s *stack) {
	number := s.customer.submit("The wombat lamp smells of smoke", "Please hurry.")
	s.agent.do(number, "assignment", nil)
	colleague := s.window("supervisor@demo.example", browsertest.Look{})
	colleague.Goto("/desk/tickets/" + number)
	colleague.SeeOn("#ticket", "The wombat lamp smells of smoke")
	s.supervisor.must(http.StatusOK, http.MethodPatch, "/tickets/"+number, words{"priority": "urgent"})
	colleague.SeeOn(".escalation", "Escalated") // without a reload
	mail := s.mails.Wait(t, func(m mailtest.Message) bool {
		return slices.Contains(m.To, "agent@demo.example") && strings.Contains(m.Subject, number) && escalationLink.MatchString(m.Text)
	})

	p := s.window("", browsertest.Look{})
	link := escalationLink.FindString(mail.Text)
	p.Goto(link) // as a mail scanner does
	p.Goto(link)
	p.See("This link is for Demo agent", "first response", "is overdue")
	if text := p.Read("body"); strings.Contains(text, "wombat") || strings.Contains(text, "hurry") {
		t.Errorf("the page shows words: %s", text)
	}
	checkHere(t, p, asUsual)
	if slices.Contains(kinds(s.agent.timeline(number)), "acknowledged") {
		t.Error("looking acknowledged it")
	}
	p.Fill("Reason", "I have called the customer.")
	p.Click("Acknowledge the escalation")
	p.See("Escalation acknowledged", "There is nothing left to acknowledge")
	checkHere(t, p, asUsual)
	colleague.SeeOn("#conversation", "I have called the customer.")
	colleague.Until("nothing is escalated", `!document.querySelector(".escalation")`)
	if got := kinds(s.agent.timeline(number)); got[len(got)-1] != "acknowledged" {
		t.Errorf("the timeline is %v", got)
	}
}
