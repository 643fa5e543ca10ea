package app_test

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desktest"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The workflow tests take production steps on tickets in memory. The scenarios below check that these steps have the same
// results as over PostgreSQL.

const contractTicket ticket.Number = "HM-7Q2K9XM4TD"

// contractStart is a Monday. The scenarios do not use the machine's clock.
var contractStart = time.Date(2026, 1, 5, 10, 0, 0, 0, time.UTC)

const contractPolicy = `
time_zone: UTC
categories: [general, delivery]
clocks:
  first_response: {target: 10h, counts: calendar, remind_at: 50%}
  resolution: {target: 40h, counts: calendar, remind_at: 75%, pauses: [waiting, resolved]}
silence: {nudge_after: 1d, resolve_after: 2d, close_after: 3d}
escalation:
  - {after: 0s, tell: [assignee, supervisors, {person: bob}, {webhook: pager}], raise_priority: true}
  - {after: 2h, tell: [supervisors, administrators, {person: gone}]}
assignment:
  - {categories: [delivery], group: vans, by: round_robin, reassign_on_breach: [first_response]}
`

// implementation is an implementation of steps, with the other operations of scenarios.
type implementation interface {
	Step(context.Context, ticket.StepRequest) (ticket.StepResult, error)

	set(clock time.Time)
	accept(ticket.Command) ticket.Command
	settle(n int, bounced bool)
	publish(document string) (version int64)
	schedule(ticket.EmergencySchedule)
	disable(ticket.PersonID)
	group(handle string, members ...ticket.PersonID)
	forbid(ticket.EventKind) (allow func())
	events() []ticket.Event
	outcomes() []ticket.Outcome
	state() ticket.State
}

// scenario is a scenario in progress on an implementation, with its results so far.
type scenario struct {
	implementation
	t     *testing.T
	lines []string
}

// at sets the clock to a number of hours after contractStart.
func (s *scenario) at(hours float64) {
	s.set(contractStart.Add(time.Duration(hours * float64(time.Hour))))
}

func (s *scenario) submit(category string) {
	s.accept(ticket.Command{
		Verb: ticket.VerbSubmit, By: ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}, Message: 1,
		Priority: policy.PriorityNormal, Category: category,
	})
}

func (s *scenario) command(verb ticket.Verb) ticket.Command {
	c := ticket.Command{Verb: verb, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}}
	if verb.NeedsMessage() {
		c.Message = 1
	}
	return s.accept(c)
}

// step takes a step and notes the result.
func (s *scenario) step(r ticket.StepRequest) ticket.StepResult {
	s.t.Helper()
	r.Number = contractTicket
	result, err := s.Step(s.t.Context(), r)
	if err != nil {
		s.t.Fatalf("step %+v: %v", r, err)
	}
	noted := result
	if parked := result.Digest.Parked; parked != nil { // its times are those of the machine's clock
		noted.Digest.Parked = &ticket.Parked{Reason: parked.Reason}
	}
	s.note(noted)
	return result
}

func (s *scenario) note(value any) {
	s.t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		s.t.Fatal(err)
	}
	s.lines = append(s.lines, string(data))
}

// record notes the events, outcomes and state at the end.
func (s *scenario) record() {
	s.t.Helper()
	for _, e := range s.events() {
		e.Message = min(e.Message, 1)
		s.note(e)
	}
	s.note(s.outcomes())
	s.note(s.state())
}

var scenarios = map[string]func(*scenario){
	"commands":                     commands,
	"more commands than one step":  manyCommands,
	"due events":                   dueEvents,
	"an answer before a deadline":  earlierAnswer,
	"a bounce after a transition":  bounceAfterTransition,
	"delays and a second schedule": delays,
	"a policy by hand":             policyByHand,
	"signals by hand":              signalsByHand,
	"a missing roster":             missingRoster,
	"people who are disabled":      disabledPeople,
	"a question":                   question,
	"a question that bounces":      bouncedQuestion,
	"a webhook that is given up":   deadWebhook,
	"what is due and parked":       parkedEvent,
	"a command not recordable":     refusedCommand,
}

func TestStep_hasTheSameResultsOverPostgreSQLAndInMemory(t *testing.T) {
	for name, play := range scenarios {
		t.Run(name, func(t *testing.T) {
			stored, inMemory := &scenario{implementation: newInPostgreSQL(t, contractPolicy), t: t}, &scenario{implementation: newInMemory(t, contractPolicy), t: t}
			for _, s := range []*scenario{stored, inMemory} {
				s.at(0)
				play(s)
				s.record()
			}
			if len(stored.lines) < 4 {
				t.Fatalf("only %d lines: the scenario shows nothing", len(stored.lines))
			}
			for i := range max(len(stored.lines), len(inMemory.lines)) {
				if i >= len(stored.lines) || i >= len(inMemory.lines) || stored.lines[i] != inMemory.lines[i] {
					t.Fatalf("line %d differs:\nPostgreSQL: %s\nin memory:  %s", i+1, line(stored.lines, i), line(inMemory.lines, i))
				}
			}
		})
	}
}

func line(lines []string, i int) string {
	if i >= len(lines) {
		return "none"
	}
	return lines[i]
}

func commands(s *scenario) {
	s.submit("general")
	s.step(ticket.StepRequest{Command: 1})
	s.at(1)
	s.accept(ticket.Command{
		Verb: ticket.VerbAssign, By: ticket.Actor{ID: desktest.Supervisor, Role: ticket.RoleSupervisor}, Assignee: desktest.Bob, Handle: "bob",
	})
	s.command(ticket.VerbReopen) // refused
	s.command(ticket.VerbNote)
	s.command(ticket.VerbAgentReply)
	s.step(ticket.StepRequest{Command: 1 << 40, LastDelivery: 1})
	s.step(ticket.StepRequest{Command: 1 << 40, LastDelivery: 1})
	s.accept(ticket.Command{Verb: ticket.VerbClose, By: ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}})
	s.step(ticket.StepRequest{CatchUp: true, LastDelivery: 3})
}

func manyCommands(s *scenario) {
	s.submit("general")
	for range app.MaxCommands + 20 {
		s.command(ticket.VerbNote)
	}
	s.step(ticket.StepRequest{Command: app.MaxCommands + 21})
	s.step(ticket.StepRequest{Delivered: 1})
}

func dueEvents(s *scenario) {
	s.submit("general")
	next := s.step(ticket.StepRequest{Command: 1}).Digest.Next
	s.at(3)
	s.step(ticket.StepRequest{Due: next.Due}) // ahead
	s.at(13)
	s.step(ticket.StepRequest{Due: next.Due})
	s.step(ticket.StepRequest{CatchUp: true})
	s.at(14)
	s.accept(ticket.Command{Verb: ticket.VerbAcknowledge, By: ticket.Actor{ID: desktest.Supervisor, Role: ticket.RoleSupervisor}})
	s.step(ticket.StepRequest{Command: 2, LastDelivery: 4})
}

func earlierAnswer(s *scenario) {
	s.submit("general")
	s.step(ticket.StepRequest{Command: 1})
	s.at(9.5)
	s.command(ticket.VerbAgentReply)
	s.at(11)
	s.step(ticket.StepRequest{Due: contractStart.Add(10 * time.Hour)}) // the reply was accepted before it
	s.step(ticket.StepRequest{Command: 2})
}

func closed(from, until float64) ticket.Emergency {
	return ticket.Emergency{
		ID: "E-7Q2K9XM4TD", Kind: ticket.EmergencyClosed,
		From:  contractStart.Add(time.Duration(from * float64(time.Hour))),
		Until: contractStart.Add(time.Duration(until * float64(time.Hour))),
	}
}

func bounceAfterTransition(s *scenario) {
	s.submit("general")
	s.step(ticket.StepRequest{Command: 1})
	s.schedule(ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{closed(2, 4)}})
	s.settle(1, true)
	s.at(3)
	s.step(ticket.StepRequest{Bounced: 1})
	if events := s.events(); len(events) != 3 || events[1].Kind != ticket.EventPaused || events[2].Kind != ticket.EventMailBounced {
		s.t.Errorf("the timeline is %+v", events)
	}
	s.step(ticket.StepRequest{Bounced: 1})
	s.at(5)
	s.command(ticket.VerbNote)
	s.step(ticket.StepRequest{Command: 2})
}

func delays(s *scenario) {
	delay := ticket.Emergency{
		ID: "E-7Q2K9XM4TE", Kind: ticket.EmergencyDelayed, From: contractStart.Add(time.Hour), Until: contractStart.Add(30 * time.Hour),
		Delays: []ticket.Delay{{From: contractStart.Add(time.Hour), By: 2 * time.Hour}, {From: contractStart.Add(6 * time.Hour), By: 5 * time.Hour}},
	}
	s.submit("general")
	s.schedule(ticket.EmergencySchedule{Revision: 1, Emergencies: []ticket.Emergency{delay}})
	s.at(2)
	s.step(ticket.StepRequest{Command: 1})
	s.at(7)
	s.command(ticket.VerbNote)
	s.step(ticket.StepRequest{CatchUp: true})
	s.schedule(ticket.EmergencySchedule{Revision: 2, Emergencies: []ticket.Emergency{delay, closed(8, 9)}})
	s.at(10)
	s.step(ticket.StepRequest{CatchUp: true})
}

func policyByHand(s *scenario) {
	version := s.publish(strings.Replace(contractPolicy, "target: 10h", "target: 4h", 1))
	s.submit("general")
	s.at(1)
	s.step(ticket.StepRequest{Manual: []ticket.ManualCommand{
		{Key: "run/1", Run: "run", Verb: ticket.VerbAdoptPolicy, Policy: version + 7},
		{Key: "run/2", Run: "run", Verb: ticket.VerbAdoptPolicy, Policy: version},
	}})
	if s.state().Ticket.Policy != version {
		s.t.Errorf("the ticket is under version %d, want %d", s.state().Ticket.Policy, version)
	}
	s.at(5)
	s.step(ticket.StepRequest{CatchUp: true})
}

func signalsByHand(s *scenario) {
	s.submit("general")
	s.step(ticket.StepRequest{Manual: []ticket.ManualCommand{
		{Key: "run/1", Run: "run", Verb: ticket.VerbAssign, Agent: "alice"},
		{Key: "run/2", Run: "run", Verb: ticket.VerbAssign, Agent: string(desktest.Bob)},
		{Key: "run/3", Run: "run", Verb: ticket.VerbAssign, Agent: "nemo"},
		{Key: "run/4", Run: "run", Verb: ticket.VerbNote, Malformed: true},
		{Key: "run/5", Run: "run", Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh, Category: "delivery"},
		{Key: "run/6", Run: "run", Verb: ticket.VerbEmergencyExtend, Emergency: "van", Extension: time.Hour},
	}})
	s.at(1)
	again := []ticket.ManualCommand{{Key: "run/1", Run: "run", Verb: ticket.VerbAssign, Agent: "alice"}, {Key: "run/2", Run: "other", Verb: ticket.VerbAssign, Agent: "bob"}}
	s.step(ticket.StepRequest{Manual: again})
	s.step(ticket.StepRequest{Manual: again})
}

func missingRoster(s *scenario) {
	s.group("vans", desktest.Alice, desktest.Bob)
	s.submit("delivery")
	s.step(ticket.StepRequest{Command: 1})
	first := s.state().Ticket.Assignee
	s.at(12)
	s.step(ticket.StepRequest{CatchUp: true})
	if second := s.state().Ticket.Assignee; first == "" || second == "" || first == second {
		s.t.Errorf("the rule gave the ticket to %q and, at the breach, to %q", first, second)
	}
}

func disabledPeople(s *scenario) {
	s.submit("general")
	s.command(ticket.VerbAgentReply)
	s.step(ticket.StepRequest{Command: 2})
	s.disable(desktest.Alice)
	s.at(1)
	s.accept(ticket.Command{Verb: ticket.VerbCustomerReply, By: ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}, Message: 1})
	s.step(ticket.StepRequest{Command: 3})
	s.disable(desktest.Administrator)
	s.disable(desktest.Customer)
	s.at(50)
	s.step(ticket.StepRequest{CatchUp: true})
	s.accept(ticket.Command{Verb: ticket.VerbRequestInformation, By: ticket.Actor{ID: desktest.Bob, Role: ticket.RoleAgent}, Message: 1})
	s.step(ticket.StepRequest{Command: 4})
	s.at(80)
	s.step(ticket.StepRequest{CatchUp: true})
}

func question(s *scenario) {
	s.submit("general")
	s.command(ticket.VerbRequestInformation)
	owed := s.step(ticket.StepRequest{Command: 2}).Owed
	s.at(3)
	s.step(ticket.StepRequest{CatchUp: true}) // its mail is still owed
	s.settle(owed[len(owed)-1].N, false)
	s.at(4)
	s.step(ticket.StepRequest{Delivered: owed[len(owed)-1].N})
	s.at(30)
	s.step(ticket.StepRequest{CatchUp: true})
	s.disable(desktest.Customer)
	s.at(31)
	s.step(ticket.StepRequest{CatchUp: true})
}

func bouncedQuestion(s *scenario) {
	s.submit("general")
	s.command(ticket.VerbRequestInformation)
	owed := s.step(ticket.StepRequest{Command: 2}).Owed
	asking := owed[len(owed)-1].N
	s.at(2)
	s.settle(asking, true)
	s.step(ticket.StepRequest{CatchUp: true})
	s.at(3)
	s.accept(ticket.Command{
		Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}, Resend: &ticket.BouncedMail{Mail: asking},
	})
	s.accept(ticket.Command{
		Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}, Resend: &ticket.BouncedMail{Mail: asking},
	})
	s.accept(ticket.Command{
		Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}, Resend: &ticket.BouncedMail{Mail: 99},
	})
	s.step(ticket.StepRequest{Command: 5, LastDelivery: asking})
}

func deadWebhook(s *scenario) {
	s.submit("general")
	s.step(ticket.StepRequest{Command: 1})
	s.at(10.5)
	owed := s.step(ticket.StepRequest{CatchUp: true}).Owed
	i := slices.IndexFunc(owed, func(o ticket.Owed) bool { return o.Kind == ticket.KindWebhook })
	s.at(11)
	s.step(ticket.StepRequest{Bounced: owed[i].N})
	s.step(ticket.StepRequest{Bounced: owed[i].N})
	s.step(ticket.StepRequest{Bounced: 99})
}

func parkedEvent(s *scenario) {
	s.submit("general")
	s.step(ticket.StepRequest{Command: 1})
	s.at(5)
	s.step(ticket.StepRequest{Due: contractStart.Add(5 * time.Hour)})
	allow := s.forbid(ticket.EventBreached)
	s.at(11)
	if s.step(ticket.StepRequest{Due: contractStart.Add(10 * time.Hour)}).Digest.Parked == nil {
		s.t.Error("nothing is parked")
	}
	s.command(ticket.VerbNote)
	s.step(ticket.StepRequest{Manual: []ticket.ManualCommand{{Key: "run/1", Run: "run", Verb: ticket.VerbResolve}}})
	s.step(ticket.StepRequest{Bounced: 1})
	allow()
	s.at(11.5)
	s.step(ticket.StepRequest{CatchUp: true})
	if s.step(ticket.StepRequest{Command: 1}).Digest.Parked != nil {
		s.t.Error("still parked")
	}
}

func refusedCommand(s *scenario) {
	s.submit("general")
	for range 9 {
		s.command(ticket.VerbProgressUpdate)
	}
	s.command(ticket.VerbNote)
	s.command(ticket.VerbProgressUpdate)
	allow := s.forbid(ticket.EventNoted)
	for i := 0; i < 20 && s.step(ticket.StepRequest{Command: 12}).Digest.Command < 12; i++ {
	}
	allow()
	for i, o := range s.outcomes() {
		if refused := o.Code == ticket.CodeUnrecordable; refused != (i == 10) {
			s.t.Errorf("outcome %d: %+v", i+1, o)
		}
	}
}

// inMemory is the implementation over tickets in memory.
type inMemory struct {
	*desktest.Desk
	t        testing.TB
	clock    time.Time
	versions int64 // policies
}

func newInMemory(t testing.TB, document string) *inMemory {
	m := &inMemory{t: t, versions: 1}
	m.Desk = desktest.New(m.parse(document), func() time.Time { return m.clock })
	return m
}

func (m *inMemory) parse(document string) *policy.Policy {
	m.t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		m.t.Fatal(err)
	}
	return p
}

func (m *inMemory) set(clock time.Time) { m.clock = clock }

func (m *inMemory) accept(c ticket.Command) ticket.Command {
	if c.Verb == ticket.VerbSubmit {
		return m.SubmitAbout(contractTicket, c.Category)
	}
	return m.Accept(contractTicket, c)
}

func (m *inMemory) settle(n int, bounced bool) {
	m.OnMail(func(context.Context, ticket.Owed) (bool, error) { return bounced, nil })
	if _, err := m.Deliver(m.t.Context(), outbox.Key{Ticket: contractTicket, N: int64(n)}); err != nil {
		m.t.Fatal(err)
	}
}

func (m *inMemory) publish(document string) int64 {
	m.versions++
	m.Publish(m.versions, m.parse(document))
	return m.versions
}

func (m *inMemory) schedule(g ticket.EmergencySchedule) { m.SetSchedule(g) }
func (m *inMemory) disable(person ticket.PersonID)      { m.Disable(person) }

func (m *inMemory) group(handle string, members ...ticket.PersonID) { m.SetGroup(handle, members...) }

func (m *inMemory) forbid(kind ticket.EventKind) func() {
	m.Refuse(func(e ticket.Event) bool { return e.Kind == kind })
	return func() { m.Refuse(func(ticket.Event) bool { return false }) }
}

func (m *inMemory) events() []ticket.Event     { return m.Events(contractTicket) }
func (m *inMemory) outcomes() []ticket.Outcome { return m.Outcomes(contractTicket) }
func (m *inMemory) state() ticket.State        { return m.State(contractTicket) }
