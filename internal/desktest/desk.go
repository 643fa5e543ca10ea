// Package desktest is a desk in memory: tickets for the production step, and mails for the mail activity, with the outages
// and refusals that a test wants. For tests only.
package desktest

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// The people of the desk. Alice and Bob are agents, with the handles "alice" and "bob".
const (
	Customer      ticket.PersonID = "P-CUSTOMER"
	Alice         ticket.PersonID = "P-ALICE"
	Bob           ticket.PersonID = "P-BOB"
	Supervisor    ticket.PersonID = "P-SUPERVISOR"
	Administrator ticket.PersonID = "P-ADMINISTRATOR"
)

// Desk keeps tickets in memory. Its methods may be called from several goroutines.
type Desk struct {
	mu       sync.Mutex
	now      func() time.Time
	policies map[int64]*policy.Policy // by version; accepted tickets are under the first
	schedule ticket.EmergencySchedule
	perStep  int64
	people   map[ticket.PersonID]*person
	groups   map[string][]ticket.PersonID
	turns    map[app.RotationTurn]int64 // when a choice fell on somebody last
	refused  func(ticket.Event) bool
	parked   *ticket.Parked // what is parked while Park has everything refused
	tickets  map[ticket.Number]*record
	steps    []ticket.StepRequest
	onStep   func(ticket.StepRequest) error
	onAnswer func(ticket.StepRequest) error
	onMail   func(context.Context, ticket.Owed) (bounced bool, err error)
}

// New makes a desk under one policy, whose clock is now.
func New(p *policy.Policy, now func() time.Time) *Desk {
	well := func(ticket.StepRequest) error { return nil }
	return &Desk{
		now: now, policies: map[int64]*policy.Policy{1: p}, perStep: app.MaxCommands,
		people: staff(), groups: map[string][]ticket.PersonID{}, turns: map[app.RotationTurn]int64{},
		refused: func(ticket.Event) bool { return false },
		tickets: map[ticket.Number]*record{}, onStep: well, onAnswer: well,
		onMail: func(context.Context, ticket.Owed) (bool, error) { return false, nil },
	}
}

// PerStep limits the commands that one step decides; app.MaxCommands by default.
func (d *Desk) PerStep(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.perStep = int64(n)
}

// Refuse has no event recorded that is refused, as a constraint of the schema would.
func (d *Desk) Refuse(refused func(ticket.Event) bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.refused = refused
}

// Park has no event recorded, and what can't be is parked as p, until Park is called with nil.
func (d *Desk) Park(p *ticket.Parked) {
	d.Refuse(func(ticket.Event) bool { return p != nil })
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parked = p
}

// SetGate changes the desk's gate. What lies before now must stay as it was.
func (d *Desk) SetGate(g ticket.EmergencySchedule) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.schedule = g
}

// OnStep has f called before every step, outside the desk's lock. An error fails the step, and nothing is done.
func (d *Desk) OnStep(f func(ticket.StepRequest) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onStep = f
}

// OnAnswer has f called after every step that was done. An error loses its answer.
func (d *Desk) OnAnswer(f func(ticket.StepRequest) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onAnswer = f
}

// OnMail has f called for every try at a mail or at a call of a webhook, outside the desk's lock: it says what the mail server does.
func (d *Desk) OnMail(f func(context.Context, ticket.Owed) (bounced bool, err error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.onMail = f
}

// Publish adds a version of the policy. Tickets are accepted under version 1.
func (d *Desk) Publish(version int64, p *policy.Policy) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.policies[version] = p
}

// Submit accepts a ticket of Customer's. Its command has the number 1.
func (d *Desk) Submit(n ticket.Number) ticket.Command {
	return d.SubmitAbout(n, d.policies[1].Categories[0])
}

// SubmitAbout is Submit with a category.
func (d *Desk) SubmitAbout(n ticket.Number, category string) ticket.Command {
	d.mu.Lock()
	d.tickets[n] = &record{
		manual: map[string]app.StoredManualCommand{}, state: ticket.State{Ticket: ticket.Draft(n, Customer, 1, d.policies[1])},
	}
	d.mu.Unlock()
	return d.Accept(n, ticket.Command{
		Verb: ticket.VerbSubmit, By: ticket.Actor{ID: Customer, Role: ticket.RoleCustomer}, Message: 1,
		Priority: policy.PriorityNormal, Category: category,
	})
}

// Accept gives a command its number and its instant, and keeps it, with the policy that it adopts. Nothing is delivered.
func (d *Desk) Accept(n ticket.Number, c ticket.Command) ticket.Command {
	d.mu.Lock()
	defer d.mu.Unlock()
	if c.Adopt != nil {
		d.policies[c.Policy] = c.Adopt
	}
	r := d.tickets[n]
	c.Seq, c.At = int64(len(r.commands)+1), d.clock()
	r.commands = append(r.commands, c)
	return c
}

func (d *Desk) clock() time.Time { return d.now().UTC().Truncate(time.Second) }

// Step is what the step activity asks for.
func (d *Desk) Step(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	d.mu.Lock()
	d.steps = append(d.steps, r)
	before, after, steps := d.onStep, d.onAnswer, app.NewSteps(tickets{d}, d.perStep)
	d.mu.Unlock()
	if err := before(r); err != nil {
		return ticket.StepResult{}, err
	}
	result, err := steps.Step(ctx, r)
	if err == nil {
		err = after(r)
	}
	if err != nil {
		return ticket.StepResult{}, err
	}
	return result, nil
}

// State is a ticket's state as of its last step.
func (d *Desk) State(n ticket.Number) ticket.State {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.tickets[n].state
}

// Events is a ticket's timeline.
func (d *Desk) Events(n ticket.Number) []ticket.Event {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.tickets[n].events)
}

// Outcomes lists what became of each command decided, in order.
func (d *Desk) Outcomes(n ticket.Number) []ticket.Outcome {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.tickets[n].outcomes)
}

// Steps lists every step asked for, failed ones too.
func (d *Desk) Steps() []ticket.StepRequest {
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.steps)
}
