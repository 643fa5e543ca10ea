package desktest

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// record is a ticket with its commands, timeline and deliveries.
type record struct {
	state    ticket.State // a draft before the first step
	latest   time.Time    // instant of a manual command or an event
	passed   time.Time
	parked   *ticket.Parked
	tries    int // while parked
	commands []ticket.Command
	manual   map[string]app.StoredManualCommand
	events   []ticket.Event
	outcomes []ticket.Outcome // of the decided commands, in order
	mails    []mail           // and webhook calls
}

// mail is a mail or a webhook call.
type mail struct {
	app.Mail                   // zero for a webhook call
	owed                       ticket.Owed
	at                         time.Time // when it was settled
	settled, bounced, recorded bool
}

var errRefused = errors.New("refused")

// refusedReason is the error text of a constraint named "forbidden".
const refusedReason = "SQLSTATE 23514 forbidden"

// tickets implements app.StepStore. A transaction holds the desk's lock and changes a copy of the ticket, which
// replaces it on commit.
type tickets struct{ *Desk }

// StepTx implements app.StepStore.
func (d tickets) StepTx(_ context.Context, n ticket.Number, fn func(app.LockedTicket, app.StepTx) error) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	was, known := d.tickets[n]
	if !known {
		return fault.New(fault.NotFound, "there is no such ticket")
	}
	r := *was
	r.manual, r.mails = maps.Clone(was.manual), slices.Clone(was.mails)
	tx := &stepTx{Desk: d.Desk, record: &r, turns: maps.Clone(d.turns)}
	l := app.LockedTicket{
		State: r.state, Last: int64(len(r.commands)), Latest: r.latest, Clock: d.clock(), Passed: r.passed, Parked: r.parked,
		Env: ticket.Environment{Policy: d.policies[r.state.Ticket.Policy], Schedule: d.schedule, RequesterDisabled: d.people[r.state.Ticket.Requester].disabled},
	}
	if c := r.commands[len(r.commands)-1].At; c.After(l.Latest) {
		l.Latest = c
	}
	if err := fn(l, tx); err != nil {
		return err
	}
	d.tickets[n], d.Desk.turns = &r, tx.turns
	return nil
}

// Unrecordable implements app.StepStore.
func (d tickets) Unrecordable(err error) (string, bool) {
	return refusedReason, errors.Is(err, errRefused)
}

// Park implements app.StepStore.
func (d tickets) Park(_ context.Context, p app.ParkRequest) error {
	d.mu.Lock()
	defer d.mu.Unlock()
	r, now := d.tickets[p.Number], d.clock()
	switch {
	case d.parked != nil:
		parked := *d.parked
		r.parked = &parked
	case r.parked == nil:
		r.tries = 1
		r.parked = &ticket.Parked{Since: now, Retry: now.Add(p.Delay), Reason: p.Reason}
	case !r.parked.Retry.After(now):
		r.tries++
		r.parked = &ticket.Parked{Since: r.parked.Since, Retry: now.Add(min(time.Duration(r.tries)*p.Delay, p.MaxDelay)), Reason: p.Reason}
	}
	return nil
}

// stepTx is the transaction of one step.
type stepTx struct {
	*Desk
	record *record
	turns  map[app.RotationTurn]int64
}

// Policy implements app.StepTx.
func (tx *stepTx) Policy(_ context.Context, version int64) (*policy.Policy, error) {
	p, known := tx.policies[version]
	if !known {
		return nil, fault.New(fault.NotFound, "there is no policy version %d", version)
	}
	return p, nil
}

// Commands implements app.StepTx. As in the store, the handle is the assignee's, else the actor's own.
func (tx *stepTx) Commands(_ context.Context, after, upTo int64) ([]ticket.Command, error) {
	commands := slices.Clone(tx.record.commands[after:upTo])
	for i := range commands {
		c := &commands[i]
		c.Adopt, c.Resend, c.Handle = nil, nil, "" // the step reads the first two by other methods
		if p := tx.people[cmp.Or(c.Assignee, c.By.ID)]; p != nil {
			c.Handle = p.handle
		}
	}
	return commands, nil
}

// AcceptedAt implements app.StepTx.
func (tx *stepTx) AcceptedAt(_ context.Context, command int64) (time.Time, error) {
	return tx.record.commands[command-1].At, nil
}

// WaitingMail implements app.StepTx. No mails come in here.
func (tx *stepTx) WaitingMail(context.Context) (arrived time.Time, waits bool, err error) { return }

// ManualCommands implements app.StepTx.
func (tx *stepTx) ManualCommands(_ context.Context, keys []string) (map[string]app.StoredManualCommand, error) {
	known := map[string]app.StoredManualCommand{}
	for _, key := range keys {
		if n, numbered := tx.record.manual[key]; numbered {
			known[key] = n
		}
	}
	return known, nil
}

// AddManualCommands implements app.StepTx.
func (tx *stepTx) AddManualCommands(_ context.Context, commands []app.ManualCommand, at time.Time) error {
	for _, c := range commands {
		added := ticket.Command{
			Seq: c.Seq, Verb: c.Verb, By: ticket.Actor{Role: ticket.RoleOperator}, At: at, Assignee: c.Assignee, Malformed: c.Malformed,
			Priority: c.Priority, Category: c.Category, Emergency: c.Emergency, Extension: c.Extension, Until: c.Until, Repeats: c.Repeats,
		}
		if _, known := tx.policies[c.Policy]; known {
			added.Policy = c.Policy
		}
		tx.record.commands = append(tx.record.commands, added)
		tx.record.manual[c.Key] = app.StoredManualCommand{Seq: c.Seq, Run: c.Run}
	}
	return nil
}

// Write implements app.StepTx.
func (tx *stepTx) Write(_ context.Context, c app.StepChanges) (app.WriteResult, error) {
	r := tx.record
	if slices.ContainsFunc(c.Events, tx.refused) {
		return app.WriteResult{}, errRefused
	}
	r.events = append(r.events, c.Events...)
	for _, d := range c.Decisions {
		r.outcomes = append(r.outcomes, d.Outcome)
	}
	tx.writeDeliveries(c)
	for _, turn := range c.Turns {
		tx.turns[turn] = tx.lastTurn(turn.Group) + 1
	}
	if len(c.Events) > 0 {
		r.state = c.State
	}
	if c.Latest.After(r.latest) && (len(c.Events) > 0 || c.Last > 0) {
		r.latest = c.Latest
	}
	if !c.Passed.IsZero() {
		r.passed = c.Passed
	}
	if c.Unpark {
		r.parked = nil
	}
	var w app.WriteResult
	for _, key := range c.Manual {
		if n := tx.record.manual[key].Seq; n > 0 && n <= c.State.Command {
			o := r.outcomes[n-1]
			w.Manual = append(w.Manual, ticket.ManualOutcome{Key: key, Refused: o.Refused, Code: o.Code})
		}
	}
	for _, m := range r.mails {
		if m.owed.N > c.Known && (!m.settled || m.bounced && !m.recorded) && len(w.Owed) < ticket.MaxOwed {
			w.Owed = append(w.Owed, m.owed)
		}
	}
	return w, nil
}
