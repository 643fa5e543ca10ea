// Package desktest is a desk in memory: what the step and the mail activity ask for, on the pure domain, with the
// outages and refusals that a test wants. For tests only.
package desktest

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
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
	mu      sync.Mutex
	now     func() time.Time
	policy  *policy.Policy
	gate    ticket.Gate
	perStep int
	parked  *ticket.Parked // what every step finds while it lasts
	tickets map[ticket.Number]*record
	steps   []ticket.StepRequest
	before  func(ticket.StepRequest) error
	after   func(ticket.StepRequest) error
	mailed  func(context.Context, ticket.Owed) (bounced bool, err error)
}

// record is one ticket: what was asked of it, what came of it, and the mails.
type record struct {
	policy   *policy.Policy // that it is under
	state    ticket.State
	commands []ticket.Command
	hands    map[string]int64 // numbers of the signals by hand, by their keys
	events   []ticket.Event
	outcomes []ticket.Outcome // of each command taken, in their order
	mails    []mail
}

type mail struct {
	ticket.Owed
	event                      int
	at                         time.Time // when it was settled
	settled, bounced, recorded bool
}

// New makes a desk under one policy, whose clock is now.
func New(p *policy.Policy, now func() time.Time) *Desk {
	well := func(ticket.StepRequest) error { return nil }
	return &Desk{
		now: now, policy: p, perStep: 100, tickets: map[ticket.Number]*record{},
		before: well, after: well,
		mailed: func(context.Context, ticket.Owed) (bool, error) { return false, nil },
	}
}

// PerStep limits the commands that one step takes; 100 unless told.
func (d *Desk) PerStep(n int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.perStep = n
}

// Park has every step find that what is due can't be recorded, until Park is called with nil.
func (d *Desk) Park(p *ticket.Parked) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.parked = p
}

// SetGate changes the desk's gate. What lies before now must stay as it was.
func (d *Desk) SetGate(g ticket.Gate) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.gate = g
}

func (d *Desk) desk(rec *record) ticket.Desk { return ticket.Desk{Policy: rec.policy, Gate: d.gate} }

// OnStep has f called before every step, outside the desk's lock. An error fails the step, and nothing is done.
func (d *Desk) OnStep(f func(ticket.StepRequest) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.before = f
}

// OnAnswer has f called after every step that was done. An error loses its answer.
func (d *Desk) OnAnswer(f func(ticket.StepRequest) error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.after = f
}

// OnMail has f called for every try at a mail or at a call of a webhook, outside the desk's lock: it says what the mail server does.
func (d *Desk) OnMail(f func(context.Context, ticket.Owed) (bounced bool, err error)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mailed = f
}

// Submit accepts a ticket of Customer's. Its command has the number 1.
func (d *Desk) Submit(n ticket.Number) ticket.Command {
	d.mu.Lock()
	d.tickets[n] = &record{
		policy: d.policy,
		state:  ticket.State{Ticket: ticket.Draft(n, Customer, 1, d.policy)}, hands: map[string]int64{},
	}
	d.mu.Unlock()
	return d.Accept(n, ticket.Command{
		Verb: ticket.VerbSubmit, By: ticket.Actor{ID: Customer, Role: ticket.RoleCustomer}, Message: 1,
		Priority: policy.PriorityNormal, Category: d.policy.Categories[0],
	})
}

// Accept gives a command its number and its instant, and keeps it. Nothing is delivered.
func (d *Desk) Accept(n ticket.Number, c ticket.Command) ticket.Command {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.accept(d.tickets[n], c)
}

func (d *Desk) accept(r *record, c ticket.Command) ticket.Command {
	c.Seq, c.At = int64(len(r.commands)+1), d.now().UTC().Truncate(time.Second)
	r.commands = append(r.commands, c)
	return c
}

// Step is what the step activity asks for.
func (d *Desk) Step(_ context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	d.mu.Lock()
	d.steps = append(d.steps, r)
	before, after := d.before, d.after
	d.mu.Unlock()
	if err := before(r); err != nil {
		return ticket.StepResult{}, err
	}
	result, err := d.step(r)
	if err == nil {
		err = after(r)
	}
	if err != nil {
		return ticket.StepResult{}, err
	}
	return result, nil
}

func (d *Desk) step(r ticket.StepRequest) (ticket.StepResult, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	rec, known := d.tickets[r.Number]
	if !known {
		return ticket.StepResult{}, fault.New(fault.NotFound, "there is no such ticket")
	}
	if d.parked != nil {
		d.number(rec, r.ByHand)
	} else if err := cmp.Or(d.do(rec, r), d.hear(rec), d.weave(rec)); err != nil {
		return ticket.StepResult{}, err
	}
	result := ticket.StepResult{Digest: rec.state.Digest(), Pending: int64(len(rec.commands))}
	result.Digest.Parked = d.parked
	for _, h := range r.ByHand {
		if seq := rec.hands[h.Key]; seq <= rec.state.Command && seq > 0 {
			o := rec.outcomes[seq-1-(rec.state.Command-int64(len(rec.outcomes)))]
			result.ByHand = append(result.ByHand, ticket.ByHandOutcome{Key: h.Key, Refused: o.Refused, Code: o.Code})
		}
	}
	for _, m := range rec.mails {
		if m.N > r.Mails && !m.settled && len(result.Owed) < ticket.MaxOwed {
			result.Owed = append(result.Owed, m.Owed)
		}
	}
	return result, nil
}

func (d *Desk) do(rec *record, r ticket.StepRequest) error {
	switch {
	case len(r.ByHand) > 0:
		d.number(rec, r.ByHand)
		return d.take(rec, int64(len(rec.commands)))
	case r.Command > 0:
		return d.take(rec, r.Command)
	case r.Bounced > 0:
		return d.bounce(rec, r.Bounced)
	case r.Delivered > 0:
		return d.take(rec, int64(len(rec.commands)))
	case r.Gate:
		return d.catchUp(rec)
	default:
		return d.fallDue(rec, r.Due)
	}
}

// number makes commands of signals by hand, each once.
func (d *Desk) number(rec *record, hands []ticket.ByHand) {
	for _, h := range hands {
		if _, numbered := rec.hands[h.Key]; !numbered {
			rec.hands[h.Key] = d.accept(rec, byHand(h)).Seq
		}
	}
}

// take decides the commands up to a number, as many as one step may.
func (d *Desk) take(rec *record, upTo int64) error {
	upTo = min(upTo, int64(len(rec.commands)), rec.state.Command+int64(d.perStep))
	for rec.state.Command < upTo {
		c := rec.commands[rec.state.Command]
		result, err := ticket.Take(rec.state.Ticket, d.desk(rec), c)
		if err != nil {
			return err
		}
		rec.outcomes = append(rec.outcomes, result.Outcome)
		if c.Adopt != nil && result.Ticket.Policy == c.Policy {
			rec.policy = c.Adopt
		}
		d.keep(rec, result, c.Seq)
	}
	return nil
}

func (d *Desk) bounce(rec *record, n int) error {
	if err := d.take(rec, int64(len(rec.commands))); err != nil || rec.state.Command < int64(len(rec.commands)) {
		return err
	}
	m := &rec.mails[n-1]
	if m.recorded {
		return nil
	}
	m.settled, m.recorded = true, true
	at := d.now().UTC().Truncate(time.Second)
	event := 0
	if m.Asks {
		event = m.event
	}
	result, err := ticket.Bounce(rec.state.Ticket, d.desk(rec), n, event, at)
	if m.Kind == ticket.KindWebhook {
		result, err = ticket.GiveUp(rec.state.Ticket, d.desk(rec), n, m.Webhook, at)
	}
	if err == nil {
		d.keep(rec, result, rec.state.Command)
	}
	return err
}

// hear records that the mail that asks the requester was settled, if the ticket does not know yet.
func (d *Desk) hear(rec *record) error {
	t := rec.state.Ticket
	if !t.Unheard() || rec.state.Command < int64(len(rec.commands)) {
		return nil
	}
	i := slices.IndexFunc(rec.mails, func(m mail) bool { return m.Asks && m.event == t.Asked })
	switch m := rec.mails[i]; {
	case !m.settled:
		return nil
	case m.bounced:
		return d.bounce(rec, m.N)
	default:
		result, err := ticket.Deliver(t, d.desk(rec), m.N, m.event, m.at, d.now().UTC().Truncate(time.Second))
		if err == nil {
			d.keep(rec, result, rec.state.Command)
		}
		return err
	}
}

// fallDue fires what is due at an instant, unless that lies ahead or an earlier command waits to be taken.
func (d *Desk) fallDue(rec *record, due time.Time) error {
	waiting := rec.commands[rec.state.Command:]
	if due.After(d.now()) || len(waiting) > 0 && waiting[0].At.Before(due) {
		return nil
	}
	result, err := ticket.Advance(rec.state.Ticket, d.desk(rec), due)
	if err == nil {
		d.keep(rec, result, rec.state.Command)
	}
	return err
}

// catchUp takes what was accepted, as much as one step may, and lets everything fall due up to now.
func (d *Desk) catchUp(rec *record) error {
	if err := d.take(rec, int64(len(rec.commands))); err != nil || rec.state.Command < int64(len(rec.commands)) {
		return err
	}
	result, err := ticket.Advance(rec.state.Ticket, d.desk(rec), d.now().UTC().Truncate(time.Second))
	if err == nil && len(result.Events) > 0 {
		d.keep(rec, result, rec.state.Command)
	}
	return err
}

// weave passes the gate's edges up to now, or up to the acceptance of a command that waits to be taken.
func (d *Desk) weave(rec *record) error {
	until := d.now().UTC().Truncate(time.Second)
	if waiting := rec.commands[rec.state.Command:]; len(waiting) > 0 && waiting[0].At.Before(until) {
		until = waiting[0].At
	}
	result, err := ticket.Weave(rec.state.Ticket, d.desk(rec), until)
	if err == nil && len(result.Events) > 0 {
		d.keep(rec, result, rec.state.Command)
	}
	return err
}

func byHand(h ticket.ByHand) ticket.Command {
	c := ticket.Command{
		Verb: h.Verb, By: ticket.Actor{Role: ticket.RoleOperator}, Malformed: h.Malformed,
		Priority: h.Priority, Category: h.Category, Emergency: h.Emergency, Extension: h.Extension,
	}
	switch h.Agent {
	case "alice", string(Alice):
		c.Assignee, c.Handle = Alice, "alice"
	case "bob", string(Bob):
		c.Assignee, c.Handle = Bob, "bob"
	}
	return c
}

func (d *Desk) keep(rec *record, result ticket.Result, command int64) {
	rec.events = append(rec.events, result.Events...)
	for _, m := range result.Mails {
		for _, to := range recipients(m) {
			owed := ticket.Owed{N: len(rec.mails) + 1, To: to, Kind: m.Kind, Asks: m.Asks}
			rec.mails = append(rec.mails, mail{Owed: owed, event: m.Event})
		}
	}
	for _, c := range result.Calls {
		owed := ticket.Owed{N: len(rec.mails) + 1, Kind: ticket.KindWebhook, Webhook: c.Webhook}
		rec.mails = append(rec.mails, mail{Owed: owed})
	}
	rec.state = ticket.Keep(result.Ticket, rec.policy, command, len(rec.mails), d.now())
}

func recipients(m ticket.Mail) []ticket.PersonID {
	if m.Named != "" { // this desk knows no handles but alice's and bob's, and supervisors stand in for others
		return []ticket.PersonID{cmp.Or(map[string]ticket.PersonID{"alice": Alice, "bob": Bob}[m.Named], Supervisor)}
	}
	switch m.Audience {
	case policy.TellSupervisors:
		return []ticket.PersonID{Supervisor}
	case policy.TellAdministrators:
		return []ticket.PersonID{Administrator}
	default:
		return []ticket.PersonID{m.Person}
	}
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

// Outcomes tells what became of each command taken, in their order.
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
