// Package desktest provides a desk in memory for tests: tickets for the production step, and deliveries for the
// activities that send mails and call webhooks, with simulated outages and refusals.
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

// Desk stores tickets in memory. It is safe for concurrent use.
type Desk struct {
	mu       sync.Mutex
	now      func() time.Time
	policies map[int64]*policy.Policy // by version
	schedule ticket.EmergencySchedule
	perStep  int64
	people   map[ticket.PersonID]*person
	groups   map[string][]ticket.PersonID
	turns    map[app.RotationTurn]int64 // number of the last turn that chose a person
	refused  func(ticket.Event) bool
	parked   *ticket.Parked // set by Park
	tickets  map[ticket.Number]*record
	steps    []ticket.StepRequest
	onStep   func(ticket.StepRequest) error
	onAnswer func(ticket.StepRequest) error
	onMail   func(context.Context, ticket.Owed) (bounced bool, err error)
}

// New returns a desk whose tickets have version 1 of the policy p pinned. now is its clock.
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

// lock locks the desk and returns the function that unlocks it.
func (d *Desk) lock() (unlock func()) {
	d.mu.Lock()
	return d.mu.Unlock
}

// PerStep sets how many commands a step decides; the default is app.MaxCommands.
func (d *Desk) PerStep(n int) {
	defer d.lock()()
	d.perStep = int64(n)
}

// Refuse makes steps fail whose events include one that refused reports, as if a constraint of the schema refused it.
func (d *Desk) Refuse(refused func(ticket.Event) bool) {
	defer d.lock()()
	d.refused = refused
}

// Park makes steps fail that record an event, and parks tickets as p says, until it is called with nil.
func (d *Desk) Park(p *ticket.Parked) {
	d.Refuse(func(ticket.Event) bool { return p != nil })
	defer d.lock()()
	d.parked = p
}

// SetSchedule replaces the emergency schedule. The new one must agree with the old one about the past.
func (d *Desk) SetSchedule(g ticket.EmergencySchedule) {
	defer d.lock()()
	d.schedule = g
}

// OnStep sets a function that is called before every step, without the desk's lock. If it returns an error, the step
// fails without effect.
func (d *Desk) OnStep(f func(ticket.StepRequest) error) {
	defer d.lock()()
	d.onStep = f
}

// OnAnswer sets a function that is called after every completed step. If it returns an error, the result of the step is
// lost.
func (d *Desk) OnAnswer(f func(ticket.StepRequest) error) {
	defer d.lock()()
	d.onAnswer = f
}

// OnMail sets a function that is called for every attempt at a mail or a webhook call, without the desk's lock. It
// plays the mail server or the webhook's receiver.
func (d *Desk) OnMail(f func(context.Context, ticket.Owed) (bounced bool, err error)) {
	defer d.lock()()
	d.onMail = f
}

// Publish adds a policy version. Tickets are accepted under version 1 nevertheless.
func (d *Desk) Publish(version int64, p *policy.Policy) {
	defer d.lock()()
	d.policies[version] = p
}

// Submit accepts a ticket from Customer in the first category of the policy, and returns the command, whose number is
// 1.
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

// Accept stores a command with the next number and the current time, and the policy that it adopts, if any. It does not
// deliver the command.
func (d *Desk) Accept(n ticket.Number, c ticket.Command) ticket.Command {
	defer d.lock()()
	if c.Adopt != nil {
		d.policies[c.Policy] = c.Adopt
	}
	r := d.tickets[n]
	c.Seq, c.At = int64(len(r.commands)+1), d.clock()
	r.commands = append(r.commands, c)
	return c
}

func (d *Desk) clock() time.Time { return d.now().UTC().Truncate(time.Second) }

// Step implements the port of the step activity.
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

// State returns a ticket's state as of its last step.
func (d *Desk) State(n ticket.Number) ticket.State {
	defer d.lock()()
	return d.tickets[n].state
}

// expected returns what a submission's step returns, as far as that is known beforehand.
func (d *Desk) expected(n ticket.Number, c ticket.Command) (ticket.Digest, bool) {
	if c.Verb != ticket.VerbSubmit {
		return ticket.Digest{}, false
	}
	defer d.lock()()
	return ticket.ExpectedDigest(n, 1, d.policies[1], c)
}

// Events returns a ticket's timeline.
func (d *Desk) Events(n ticket.Number) []ticket.Event {
	defer d.lock()()
	return slices.Clone(d.tickets[n].events)
}

// Outcomes returns the outcomes of a ticket's decided commands, in order.
func (d *Desk) Outcomes(n ticket.Number) []ticket.Outcome {
	defer d.lock()()
	return slices.Clone(d.tickets[n].outcomes)
}

// Steps returns all requests for a step, including failed ones.
func (d *Desk) Steps() []ticket.StepRequest {
	defer d.lock()()
	return slices.Clone(d.steps)
}
