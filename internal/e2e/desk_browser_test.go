package e2e_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/holesalemart/supportdesk/internal/browsertest"
)

// byKeyboard is an agent who never touches the mouse.
func byKeyboard(t *testing.T, s *stack) {
	number := s.customer.submit("The lid of the okapi box is bent", "It came like that.")
	p := s.window("agent@demo.example", browsertest.Look{})
	p.Goto("/desk?queue=all")
	p.Press("/")
	p.Type("okapi")
	p.Press("Enter")
	p.At(`/desk\?.*q=okapi.*`)
	p.Until("one ticket is found", `document.querySelectorAll("#rows a[data-number]").length === 1`)
	p.Settle()
	p.Press("Escape")
	p.Press("j")
	p.Press("Enter")
	p.SeeOn("#ticket", "The lid of the okapi box is bent")
	p.Settle()

	p.Press("a")
	p.SeeOn("#conversation", "Demo agent")
	s.agent.awaitStatus(number, "open")
	write := func(key, words, status string) {
		p.Settle()
		p.Press(key)
		p.Type(words)
		p.Press("Control+Enter")
		p.SeeOn("#conversation", words)
		s.agent.awaitStatus(number, status)
		p.Press("Escape")
	}
	write("r", "We have more boxes.", "open")
	write("n", "Between us: a whole pallet is bent.", "open")
	write("i", "Which colour was it?", "waiting")
	s.customer.do(number, "replies", words{"body": "Green as grass."})
	p.SeeOn("#conversation", "Green as grass.") // without a reload
	countsAsRead(p)
	write("e", "A green one is on its way.", "resolved")

	p.Press("?")
	p.SeeOn("#keys", "Keyboard shortcuts")
	p.Press("Escape")
	p.Press("Control+k")
	p.Type("reopen")
	p.Press("Enter")
	s.agent.awaitStatus(number, "open")
}

// twoAtOnce are two of the staff on one ticket.
func twoAtOnce(t *testing.T, s *stack) {
	number := s.customer.submit("The quagga tape does not stick", "Not at all.")
	one, other := s.window("agent@demo.example", browsertest.Look{}), s.window("supervisor@demo.example", browsertest.Look{})
	late := s.window("supervisor@demo.example", browsertest.Look{NoScript: true}) // a page that nothing updates
	for _, p := range []*browsertest.Page{one, other, late} {
		p.Goto("/desk/tickets/" + number)
		p.SeeOn("#ticket", "The quagga tape does not stick")
	}
	one.SeeOn("#presence", "Demo supervisor is viewing")
	other.SeeOn("#presence", "Demo agent is viewing")
	other.Press("r")
	other.Type("I am typing")
	one.SeeOn("#presence", "Demo supervisor is writing")

	one.Click("Take")
	other.SeeOn("#conversation", "Demo agent") // without a reload
	late.Click("Take")
	late.See("Demo agent")
	if got := s.agent.ticket(number).Assignee; got == nil || got.Handle != "agent-1" {
		t.Errorf("the second taker took it: %+v", got)
	}
	if got := browsertest.Value[string](other, `document.querySelector("#body-reply").value`); got != "I am typing" {
		t.Errorf("the update touched the draft: %q", got)
	}
}

// talk is a customer and an agent who both keep the ticket open.
func talk(t *testing.T, s *stack) {
	number := s.customer.submit("Where does the quokka parcel stay?", "It was due.")
	customer, agent := s.window("customer@demo.example", browsertest.Look{}), s.window("agent@demo.example", browsertest.Look{})
	customer.Goto("/tickets/" + number)
	customer.SeeOn("#ticket-head", "Received")
	agent.Goto("/desk?queue=unassigned")
	agent.ClickOn(`[data-number="` + number + `"]`)
	agent.SeeOn("#conversation", "It was due.")
	agent.Settle()

	agent.Click("Take")
	customer.SeeOn("#ticket-side", "Demo agent")
	agent.Settle()
	agent.Click("Request information")
	agent.FillIn("#body-request", "To which town?")
	agent.Click("Send request")
	customer.SeeOn("#conversation", "To which town?")
	customer.SeeOn("#ticket-head", "Waiting for you")
	customer.Fill("Your reply", "To Demo Town.")
	customer.Click("Send")
	agent.SeeOn("#conversation", "To Demo Town.")
	agent.Settle()
	agent.Click("Reply and resolve")
	agent.FillIn("#body-resolve", "It is there now.")
	countsAsRead(agent)
	agent.Click("Send and resolve")
	customer.SeeOn("#conversation", "It is there now.")
	customer.Click("Yes, it is resolved")
	agent.SeeOn("#ticket-head", "closed")
}

// countsAsRead waits until what a live update has brought has stood in front of the agent: before that, the desk refuses
// words that cross it.
func countsAsRead(p *browsertest.Page) {
	p.Until("the conversation counts as read", `[...document.querySelectorAll(".write [name=seen]")].every((f) => f.value === document.querySelector("#conversation").dataset.seen)`)
}

// awayAndBack has an agent and a customer look at a ticket, and a supervisor at the desk, while the API is killed and started again.
func awayAndBack(t *testing.T, s *stack) {
	number := s.customer.submit("The numbat stickers are missing", "All of them.")
	customer, agent := s.window("customer@demo.example", browsertest.Look{}), s.window("agent@demo.example", browsertest.Look{})
	customer.Goto("/tickets/" + number)
	customer.SeeOn("#conversation", "All of them.")
	agent.Goto("/desk/tickets/" + number)
	agent.SeeOn("#conversation", "All of them.")
	supervisor := s.window("supervisor@demo.example", browsertest.Look{})
	supervisor.Goto("/supervision")
	for _, p := range []*browsertest.Page{customer, agent, supervisor} {
		// The requests that find no server, and what htmx says of them.
		p.Forgive("net::ERR_", "[object Event]", "htmx:sendError", "htmx:afterRequest", "Uncaught (in promise)")
	}
	s.api.kill()
	agent.SeeOn("#away", "The desk is not responding")
	customer.SeeOn("#away", "This page will continue on its own")
	supervisor.SeeOn("#away", "This page will continue on its own")
	agent.Press("r")
	agent.Type("They fell behind the shelf.")
	s.api.start()
	for _, p := range []*browsertest.Page{customer, agent, supervisor} {
		p.Until("the desk is back", `document.querySelector("#away").hidden`)
	}

	s.customer.do(number, "replies", words{"body": "Still missing."})
	agent.SeeOn("#conversation", "Still missing.")
	customer.SeeOn("#conversation", "Still missing.")
	countsAsRead(agent)
	agent.Press("Control+Enter")
	agent.SeeOn("#conversation", "They fell behind the shelf.")
	customer.SeeOn("#conversation", "They fell behind the shelf.")
}

// report is a supervisor who looks for what was broken, by agent, and takes the numbers along.
func report(t *testing.T, s *stack) {
	p := s.window("supervisor@demo.example", browsertest.Look{})
	p.Click("Supervision")
	p.At("/supervision")
	p.See("As of", "not closed", "Load by agent", "Demo Agent 2")
	p.Click("SLA")
	p.At("/supervision/promises.*")
	p.See("SLA performance")
	p.Choose("Agent", "Demo Agent 2")
	p.Click("Show")
	p.At(`/supervision/promises\?.*agent=.*`)
	page := browsertest.Value[string](p, `[...document.querySelectorAll("section.clock")].map(s =>
		[...s.querySelectorAll("dt")].find(d => d.textContent === "breached").nextElementSibling.textContent).join(" ")`)
	file := browsertest.Value[string](p, `fetch([...document.querySelectorAll("a")].find(a => a.textContent === "CSV").href).then(r => r.text())`)
	var broken []string
	for _, line := range regexp.MustCompile(`(?m)^\w+,all,,\d+,(\d+),`).FindAllStringSubmatch(file, -1) {
		broken = append(broken, line[1])
	}
	if strings.Join(broken, " ") != page || len(broken) != 2 {
		t.Errorf("the page has %s broken, and the file is\n%s", page, file)
	}
}
