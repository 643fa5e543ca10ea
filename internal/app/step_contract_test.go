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

// The workflow tests take the production step on tickets in memory. The scenarios below hold them to what the step
// finds and leaves in PostgreSQL.

const contractTicket ticket.Number = "HM-7Q2K9XM4TD"

// contractStart is a Monday. Nothing here follows the machine's clock.
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

// tickets is one of the two: the step on a store, with what a scenario does beside it.
type tickets interface {
	Step(context.Context, ticket.StepRequest) (ticket.StepResult, error)

	set(clock time.Time)
	accept(ticket.Command) ticket.Command
	settle(n int, bounced bool)
	publish(document string) (version int64)
	schedule(ticket.Gate)
	disable(ticket.PersonID)
	group(handle string, members ...ticket.PersonID)
	forbid(ticket.EventKind) (allow func())
	events() []ticket.Event
	outcomes() []ticket.Outcome
	state() ticket.State
}

// play is a scenario under way on one of the two, and what it has shown so far.
type play struct {
	tickets
	t     *testing.T
	lines []string
}

// at sets the clock to so many hours after the start.
func (p *play) at(hours float64) { p.set(contractStart.Add(time.Duration(hours * float64(time.Hour)))) }

func (p *play) submit(category string) {
	p.accept(ticket.Command{
		Verb: ticket.VerbSubmit, By: ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}, Message: 1,
		Priority: policy.PriorityNormal, Category: category,
	})
}

func (p *play) ask(verb ticket.Verb) ticket.Command {
	c := ticket.Command{Verb: verb, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}}
	if verb.NeedsWords() {
		c.Message = 1
	}
	return p.accept(c)
}

// step takes a step and notes what came of it.
func (p *play) step(r ticket.StepRequest) ticket.StepResult {
	p.t.Helper()
	r.Number = contractTicket
	result, err := p.Step(p.t.Context(), r)
	if err != nil {
		p.t.Fatalf("step %+v: %v", r, err)
	}
	noted := result
	if parked := result.Digest.Parked; parked != nil { // its instants are the machine's
		noted.Digest.Parked = &ticket.Parked{Reason: parked.Reason}
	}
	p.note(noted)
	return result
}

func (p *play) note(value any) {
	p.t.Helper()
	data, err := json.Marshal(value)
	if err != nil {
		p.t.Fatal(err)
	}
	p.lines = append(p.lines, string(data))
}

// finish notes all that is left.
func (p *play) finish() {
	p.t.Helper()
	for _, e := range p.events() {
		e.Message = min(e.Message, 1)
		p.note(e)
	}
	p.note(p.outcomes())
	p.note(p.state())
}

var scenarios = map[string]func(*play){
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

func TestStep_isTheSameInPostgreSQLAndInMemory(t *testing.T) {
	for name, scenario := range scenarios {
		t.Run(name, func(t *testing.T) {
			stored, kept := &play{tickets: newStored(t, contractPolicy), t: t}, &play{tickets: newKept(t, contractPolicy), t: t}
			for _, p := range []*play{stored, kept} {
				p.at(0)
				scenario(p)
				p.finish()
			}
			if len(stored.lines) < 4 {
				t.Fatalf("only %d lines: the scenario shows nothing", len(stored.lines))
			}
			for i := range max(len(stored.lines), len(kept.lines)) {
				if i >= len(stored.lines) || i >= len(kept.lines) || stored.lines[i] != kept.lines[i] {
					t.Fatalf("line %d differs:\nPostgreSQL: %s\nin memory:  %s", i+1, line(stored.lines, i), line(kept.lines, i))
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

func commands(p *play) {
	p.submit("general")
	p.step(ticket.StepRequest{Command: 1})
	p.at(1)
	p.accept(ticket.Command{
		Verb: ticket.VerbAssign, By: ticket.Actor{ID: desktest.Supervisor, Role: ticket.RoleSupervisor}, Assignee: desktest.Bob, Handle: "bob",
	})
	p.ask(ticket.VerbReopen) // refused
	p.ask(ticket.VerbNote)
	p.ask(ticket.VerbAgentReply)
	p.step(ticket.StepRequest{Command: 1 << 40, Mails: 1})
	p.step(ticket.StepRequest{Command: 1 << 40, Mails: 1})
	p.accept(ticket.Command{Verb: ticket.VerbClose, By: ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}})
	p.step(ticket.StepRequest{Gate: true, Mails: 3})
}

func manyCommands(p *play) {
	p.submit("general")
	for range app.MaxCommands + 20 {
		p.ask(ticket.VerbNote)
	}
	p.step(ticket.StepRequest{Command: app.MaxCommands + 21})
	p.step(ticket.StepRequest{Delivered: 1})
}

func dueEvents(p *play) {
	p.submit("general")
	next := p.step(ticket.StepRequest{Command: 1}).Digest.Next
	p.at(3)
	p.step(ticket.StepRequest{Due: next.Due}) // ahead
	p.at(13)
	p.step(ticket.StepRequest{Due: next.Due})
	p.step(ticket.StepRequest{Gate: true})
	p.at(14)
	p.accept(ticket.Command{Verb: ticket.VerbAcknowledge, By: ticket.Actor{ID: desktest.Supervisor, Role: ticket.RoleSupervisor}})
	p.step(ticket.StepRequest{Command: 2, Mails: 4})
}

func earlierAnswer(p *play) {
	p.submit("general")
	p.step(ticket.StepRequest{Command: 1})
	p.at(9.5)
	p.ask(ticket.VerbAgentReply)
	p.at(11)
	p.step(ticket.StepRequest{Due: contractStart.Add(10 * time.Hour)}) // the reply was accepted before it
	p.step(ticket.StepRequest{Command: 2})
}

func closed(from, until float64) ticket.Emergency {
	return ticket.Emergency{
		ID: "E-7Q2K9XM4TD", Kind: ticket.EmergencyClosed,
		From:  contractStart.Add(time.Duration(from * float64(time.Hour))),
		Until: contractStart.Add(time.Duration(until * float64(time.Hour))),
	}
}

func bounceAfterTransition(p *play) {
	p.submit("general")
	p.step(ticket.StepRequest{Command: 1})
	p.schedule(ticket.Gate{Revision: 1, Emergencies: []ticket.Emergency{closed(2, 4)}})
	p.settle(1, true)
	p.at(3)
	p.step(ticket.StepRequest{Bounced: 1})
	if events := p.events(); len(events) != 3 || events[1].Kind != ticket.EventPaused || events[2].Kind != ticket.EventMailBounced {
		p.t.Errorf("the timeline is %+v", events)
	}
	p.step(ticket.StepRequest{Bounced: 1})
	p.at(5)
	p.ask(ticket.VerbNote)
	p.step(ticket.StepRequest{Command: 2})
}

func delays(p *play) {
	delay := ticket.Emergency{
		ID: "E-7Q2K9XM4TE", Kind: ticket.EmergencyDelayed, From: contractStart.Add(time.Hour), Until: contractStart.Add(30 * time.Hour),
		Delays: []ticket.Delay{{From: contractStart.Add(time.Hour), By: 2 * time.Hour}, {From: contractStart.Add(6 * time.Hour), By: 5 * time.Hour}},
	}
	p.submit("general")
	p.schedule(ticket.Gate{Revision: 1, Emergencies: []ticket.Emergency{delay}})
	p.at(2)
	p.step(ticket.StepRequest{Command: 1})
	p.at(7)
	p.ask(ticket.VerbNote)
	p.step(ticket.StepRequest{Gate: true})
	p.schedule(ticket.Gate{Revision: 2, Emergencies: []ticket.Emergency{delay, closed(8, 9)}})
	p.at(10)
	p.step(ticket.StepRequest{Gate: true})
}

func policyByHand(p *play) {
	version := p.publish(strings.Replace(contractPolicy, "target: 10h", "target: 4h", 1))
	p.submit("general")
	p.at(1)
	p.step(ticket.StepRequest{ByHand: []ticket.ByHand{
		{Key: "run/1", Run: "run", Verb: ticket.VerbAdoptPolicy, Policy: version + 7},
		{Key: "run/2", Run: "run", Verb: ticket.VerbAdoptPolicy, Policy: version},
	}})
	if p.state().Ticket.Policy != version {
		p.t.Errorf("the ticket is under version %d, want %d", p.state().Ticket.Policy, version)
	}
	p.at(5)
	p.step(ticket.StepRequest{Gate: true})
}

func signalsByHand(p *play) {
	p.submit("general")
	p.step(ticket.StepRequest{ByHand: []ticket.ByHand{
		{Key: "run/1", Run: "run", Verb: ticket.VerbAssign, Agent: "alice"},
		{Key: "run/2", Run: "run", Verb: ticket.VerbAssign, Agent: string(desktest.Bob)},
		{Key: "run/3", Run: "run", Verb: ticket.VerbAssign, Agent: "nemo"},
		{Key: "run/4", Run: "run", Verb: ticket.VerbNote, Malformed: true},
		{Key: "run/5", Run: "run", Verb: ticket.VerbReclassify, Priority: policy.PriorityHigh, Category: "delivery"},
		{Key: "run/6", Run: "run", Verb: ticket.VerbEmergencyExtend, Emergency: "van", Extension: time.Hour},
	}})
	p.at(1)
	again := []ticket.ByHand{{Key: "run/1", Run: "run", Verb: ticket.VerbAssign, Agent: "alice"}, {Key: "run/2", Run: "other", Verb: ticket.VerbAssign, Agent: "bob"}}
	p.step(ticket.StepRequest{ByHand: again})
	p.step(ticket.StepRequest{ByHand: again})
}

func missingRoster(p *play) {
	p.group("vans", desktest.Alice, desktest.Bob)
	p.submit("delivery")
	p.step(ticket.StepRequest{Command: 1})
	first := p.state().Ticket.Assignee
	p.at(12)
	p.step(ticket.StepRequest{Gate: true})
	if second := p.state().Ticket.Assignee; first == "" || second == "" || first == second {
		p.t.Errorf("the rule gave the ticket to %q and, at the breach, to %q", first, second)
	}
}

func disabledPeople(p *play) {
	p.submit("general")
	p.ask(ticket.VerbAgentReply)
	p.step(ticket.StepRequest{Command: 2})
	p.disable(desktest.Alice)
	p.at(1)
	p.accept(ticket.Command{Verb: ticket.VerbCustomerReply, By: ticket.Actor{ID: desktest.Customer, Role: ticket.RoleCustomer}, Message: 1})
	p.step(ticket.StepRequest{Command: 3})
	p.disable(desktest.Administrator)
	p.disable(desktest.Customer)
	p.at(50)
	p.step(ticket.StepRequest{Gate: true})
	p.accept(ticket.Command{Verb: ticket.VerbRequestInformation, By: ticket.Actor{ID: desktest.Bob, Role: ticket.RoleAgent}, Message: 1})
	p.step(ticket.StepRequest{Command: 4})
	p.at(80)
	p.step(ticket.StepRequest{Gate: true})
}

func question(p *play) {
	p.submit("general")
	p.ask(ticket.VerbRequestInformation)
	owed := p.step(ticket.StepRequest{Command: 2}).Owed
	p.at(3)
	p.step(ticket.StepRequest{Gate: true}) // its mail is owed still
	p.settle(owed[len(owed)-1].N, false)
	p.at(4)
	p.step(ticket.StepRequest{Delivered: owed[len(owed)-1].N})
	p.at(30)
	p.step(ticket.StepRequest{Gate: true})
	p.disable(desktest.Customer)
	p.at(31)
	p.step(ticket.StepRequest{Gate: true})
}

func bouncedQuestion(p *play) {
	p.submit("general")
	p.ask(ticket.VerbRequestInformation)
	owed := p.step(ticket.StepRequest{Command: 2}).Owed
	asking := owed[len(owed)-1].N
	p.at(2)
	p.settle(asking, true)
	p.step(ticket.StepRequest{Gate: true})
	p.at(3)
	p.accept(ticket.Command{
		Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}, Resend: &ticket.Undelivered{Mail: asking},
	})
	p.accept(ticket.Command{
		Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}, Resend: &ticket.Undelivered{Mail: asking},
	})
	p.accept(ticket.Command{
		Verb: ticket.VerbResend, By: ticket.Actor{ID: desktest.Alice, Role: ticket.RoleAgent}, Resend: &ticket.Undelivered{Mail: 99},
	})
	p.step(ticket.StepRequest{Command: 5, Mails: asking})
}

func deadWebhook(p *play) {
	p.submit("general")
	p.step(ticket.StepRequest{Command: 1})
	p.at(10.5)
	owed := p.step(ticket.StepRequest{Gate: true}).Owed
	i := slices.IndexFunc(owed, func(o ticket.Owed) bool { return o.Kind == ticket.KindWebhook })
	p.at(11)
	p.step(ticket.StepRequest{Bounced: owed[i].N})
	p.step(ticket.StepRequest{Bounced: owed[i].N})
	p.step(ticket.StepRequest{Bounced: 99})
}

func parkedEvent(p *play) {
	p.submit("general")
	p.step(ticket.StepRequest{Command: 1})
	p.at(5)
	p.step(ticket.StepRequest{Due: contractStart.Add(5 * time.Hour)})
	allow := p.forbid(ticket.EventBreached)
	p.at(11)
	if p.step(ticket.StepRequest{Due: contractStart.Add(10 * time.Hour)}).Digest.Parked == nil {
		p.t.Error("nothing is parked")
	}
	p.ask(ticket.VerbNote)
	p.step(ticket.StepRequest{ByHand: []ticket.ByHand{{Key: "run/1", Run: "run", Verb: ticket.VerbResolve}}})
	p.step(ticket.StepRequest{Bounced: 1})
	allow()
	p.at(11.5)
	p.step(ticket.StepRequest{Gate: true})
	if p.step(ticket.StepRequest{Command: 1}).Digest.Parked != nil {
		p.t.Error("still parked")
	}
}

func refusedCommand(p *play) {
	p.submit("general")
	for range 9 {
		p.ask(ticket.VerbProgressUpdate)
	}
	p.ask(ticket.VerbNote)
	p.ask(ticket.VerbProgressUpdate)
	allow := p.forbid(ticket.EventNoted)
	for i := 0; i < 20 && p.step(ticket.StepRequest{Command: 12}).Digest.Command < 12; i++ {
	}
	allow()
	for i, o := range p.outcomes() {
		if refused := o.Code == ticket.CodeUnrecordable; refused != (i == 10) {
			p.t.Errorf("outcome %d: %+v", i+1, o)
		}
	}
}

// kept are tickets in memory.
type kept struct {
	*desktest.Desk
	t     testing.TB
	clock time.Time
	known int64 // policies
}

func newKept(t testing.TB, document string) *kept {
	k := &kept{t: t, known: 1}
	k.Desk = desktest.New(k.parse(document), func() time.Time { return k.clock })
	return k
}

func (k *kept) parse(document string) *policy.Policy {
	k.t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		k.t.Fatal(err)
	}
	return p
}

func (k *kept) set(clock time.Time) { k.clock = clock }

func (k *kept) accept(c ticket.Command) ticket.Command {
	if c.Verb == ticket.VerbSubmit {
		return k.SubmitAbout(contractTicket, c.Category)
	}
	return k.Accept(contractTicket, c)
}

func (k *kept) settle(n int, bounced bool) {
	k.OnMail(func(context.Context, ticket.Owed) (bool, error) { return bounced, nil })
	if _, err := k.Deliver(k.t.Context(), outbox.Key{Ticket: contractTicket, N: int64(n)}); err != nil {
		k.t.Fatal(err)
	}
}

func (k *kept) publish(document string) int64 {
	k.known++
	k.Publish(k.known, k.parse(document))
	return k.known
}

func (k *kept) schedule(g ticket.Gate)         { k.SetGate(g) }
func (k *kept) disable(person ticket.PersonID) { k.Disable(person) }

func (k *kept) group(handle string, members ...ticket.PersonID) { k.SetGroup(handle, members...) }

func (k *kept) forbid(kind ticket.EventKind) func() {
	k.Refuse(func(e ticket.Event) bool { return e.Kind == kind })
	return func() { k.Refuse(func(ticket.Event) bool { return false }) }
}

func (k *kept) events() []ticket.Event     { return k.Events(contractTicket) }
func (k *kept) outcomes() []ticket.Outcome { return k.Outcomes(contractTicket) }
func (k *kept) state() ticket.State        { return k.State(contractTicket) }
