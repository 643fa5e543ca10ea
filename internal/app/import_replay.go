package app

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// replay takes the steps of one imported ticket at the times of its actions. It implements StepTx and accumulates the changes
// in memory.
type replay struct {
	*importPeople
	locked   LockedTicket
	imported ImportedTicket
	seen     int // number of mails that have been checked for a bounce
}

func newReplay(people *importPeople, t desk.ImportTicket, version int64, d ticket.Environment) *replay {
	// No mail is sent for the past, so silence counts from events.
	d.RequesterDisabled = true
	p := &replay{importPeople: people, imported: ImportedTicket{ImportTicket: t}}
	p.locked = LockedTicket{Env: d, State: ticket.State{Ticket: ticket.Draft(t.Number, t.Actions[0].By.ID, version, d.Policy)}}
	p.imported.Changes.Was = p.locked.State
	return p
}

// act accepts and decides a command at its time.
func (p *replay) act(ctx context.Context, c ticket.Command) error {
	p.imported.Commands = append(p.imported.Commands, c)
	p.locked.Last, p.locked.Latest = c.Seq, c.At
	return p.step(ctx, c.At, ticket.StepRequest{Command: c.Seq})
}

// catchUp fires the events due up to an instant. It fires them one by one, so that a bounce follows the event that caused
// the mail.
func (p *replay) catchUp(ctx context.Context, until time.Time) error {
	for {
		next := p.locked.State.Next
		if next.Kind == "" || next.Due.After(until) {
			break
		}
		events := len(p.imported.Changes.Events)
		if err := p.step(ctx, next.Due, ticket.StepRequest{Due: next.Due}); err != nil {
			return err
		}
		if len(p.imported.Changes.Events) == events {
			break
		}
	}
	if p.locked.State.Command == 0 {
		return nil
	}
	return p.step(ctx, until, ticket.StepRequest{CatchUp: true})
}

// step takes a step at an instant, and a further step for each of its mails that bounced.
func (p *replay) step(ctx context.Context, at time.Time, r ticket.StepRequest) error {
	if err := p.run(ctx, at, r); err != nil {
		return err
	}
	for ; p.seen < len(p.imported.Mails); p.seen++ {
		m := &p.imported.Mails[p.seen]
		if m.Reason = p.imported.Undeliverable[m.Person]; m.Reason == "" {
			continue
		}
		if err := p.run(ctx, at, ticket.StepRequest{Bounced: m.N}); err != nil {
			return err
		}
	}
	return nil
}

func (p *replay) run(ctx context.Context, at time.Time, r ticket.StepRequest) error {
	p.locked.Clock = at
	s := newStep(p.locked, p, scope{commands: MaxCommands}, func(error) bool { return false })
	_, err := s.run(ctx, r)
	p.locked.Env.Policy = s.Env.Policy
	return err
}

// finish completes the changes to be stored.
func (p *replay) finish(now time.Time) (ImportedTicket, error) {
	c, is := &p.imported.Changes, p.locked.State
	last := c.Events[len(c.Events)-1].At
	if err := checkRating(p.imported.ImportTicket, is.Ticket, last, now); err != nil {
		return ImportedTicket{}, err
	}
	c.State = ticket.NewState(is.Ticket, p.locked.Env.Policy, is.Command, is.LastDelivery, now)
	c.Now, c.Last, c.Latest, c.Passed = last, is.Command, last, now
	c.Promises = promiseRecords(c.Was.Ticket, is.Ticket, c.Events, p.locked.Env.Policy.Calendar)
	if r := p.imported.Rating; r != nil {
		for _, e := range c.Events {
			if e.Assignee != "" && !e.At.After(r.At) {
				p.imported.RatedBy = e.Assignee
			}
		}
	}
	return p.imported, nil
}

// Commands implements StepTx.
func (p *replay) Commands(_ context.Context, after, upTo int64) ([]ticket.Command, error) {
	return slices.Clone(p.imported.Commands[after:upTo]), nil
}

// AcceptedAt implements StepTx.
func (p *replay) AcceptedAt(_ context.Context, command int64) (time.Time, error) {
	return p.imported.Commands[command-1].At, nil
}

// WaitingMail implements StepTx. An import has none.
func (p *replay) WaitingMail(context.Context) (arrived time.Time, waits bool, err error) {
	return time.Time{}, false, nil
}

// ManualCommands implements StepTx. An import has none.
func (p *replay) ManualCommands(context.Context, []string) (map[string]StoredManualCommand, error) {
	return nil, nil
}

// AddManualCommands implements StepTx.
func (p *replay) AddManualCommands(context.Context, []ManualCommand, time.Time) error {
	return fault.New(fault.Invalid, "an import has no manual commands")
}

// FailedDelivery implements StepTx.
func (p *replay) FailedDelivery(_ context.Context, n int) (FailedDelivery, bool, error) {
	return FailedDelivery{}, slices.ContainsFunc(p.imported.Mails, func(m ImportedMail) bool { return m.N == n && m.FailedBy == 0 }), nil
}

// AskingMail implements StepTx. It returns none, since silence counts from events; see newReplay.
func (p *replay) AskingMail(context.Context, int) (AskingMail, bool, error) {
	return AskingMail{}, false, nil
}

// MailToResend implements StepTx. It returns none, since actions can't name a mail.
func (p *replay) MailToResend(context.Context, int64) (ticket.BouncedMail, bool, error) {
	return ticket.BouncedMail{}, false, nil
}

// Policy implements StepTx. It returns a NotFound fault, since actions can't name a version.
func (p *replay) Policy(context.Context, int64) (*policy.Policy, error) {
	return nil, fault.New(fault.NotFound, "an import adopts no policy")
}

// Write implements StepTx. Deliveries are settled at once.
func (p *replay) Write(_ context.Context, c StepChanges) (WriteResult, error) {
	all := &p.imported.Changes
	at := func(event int) time.Time { return c.Events[event-c.Was.Ticket.Events-1].At }
	for _, m := range c.Mails {
		p.imported.Mails = append(p.imported.Mails, ImportedMail{Mail: m, At: at(m.Event)})
	}
	for _, call := range c.Calls {
		p.imported.Calls = append(p.imported.Calls, ImportedCall{call, at(call.Event)})
	}
	for _, f := range c.Failures {
		i := slices.IndexFunc(p.imported.Mails, func(m ImportedMail) bool { return m.N == f.N })
		p.imported.Mails[i].FailedBy = f.Event
	}
	all.Events = append(all.Events, c.Events...)
	all.Decisions = append(all.Decisions, c.Decisions...)
	all.Shown = all.Shown || c.Shown
	if len(c.Events) > 0 {
		p.locked.Latest = c.Latest
	}
	p.locked.State = c.State
	p.follow(c)
	return WriteResult{}, nil
}

// importPeople caches audiences, handles and rosters for an import, and updates the rosters as its tickets are assigned.
type importPeople struct {
	tx        ImportTx
	audiences map[policy.Audience][]ticket.PersonID
	handles   map[string]ticket.PersonID // empty: no one has it
	rosters   ticket.Rosters
	loads     map[ticket.PersonID]int // of the tickets in this import
	turns     []RotationTurn
}

func newImportPeople(tx ImportTx) *importPeople {
	return &importPeople{
		tx: tx, audiences: map[policy.Audience][]ticket.PersonID{}, handles: map[string]ticket.PersonID{},
		rosters: ticket.Rosters{}, loads: map[ticket.PersonID]int{},
	}
}

// Disabled implements StepTx. It returns none, since mails of the past reached their recipients.
func (im *importPeople) Disabled(context.Context, []ticket.PersonID) (map[ticket.PersonID]Disabled, error) {
	return nil, nil
}

// Audience implements StepTx.
func (im *importPeople) Audience(ctx context.Context, a policy.Audience) (people []ticket.PersonID, err error) {
	people, known := im.audiences[a]
	if !known {
		people, err = im.tx.Audience(ctx, a)
		im.audiences[a] = people
	}
	return people, err
}

// StaffByHandle implements StepTx.
func (im *importPeople) StaffByHandle(ctx context.Context, handles []string) (map[string]ticket.PersonID, error) {
	found := map[string]ticket.PersonID{}
	for _, handle := range handles {
		key := strings.ToLower(handle)
		person, known := im.handles[key]
		if !known {
			people, err := im.tx.StaffByHandle(ctx, []string{handle})
			if err != nil {
				return nil, err
			}
			person = people[key]
			im.handles[key] = person
		}
		if person != "" {
			found[key] = person
		}
	}
	return found, nil
}

// Staff implements StepTx. Only manual commands need it.
func (im *importPeople) Staff(context.Context, string) (ticket.PersonID, error) {
	return "", fault.New(fault.NotFound, "an import has no manual commands")
}

// Roster implements StepTx. It returns the members available now, with loads that include this import.
func (im *importPeople) Roster(ctx context.Context, group string) ([]ticket.Candidate, error) {
	if _, known := im.rosters[group]; !known {
		present, err := im.tx.Roster(ctx, group)
		if err != nil {
			return nil, err
		}
		im.rosters[group] = present
	}
	present := slices.Clone(im.rosters[group])
	for i := range present {
		present[i].Load += im.loads[present[i].ID]
	}
	return present, nil
}

// follow updates loads and turns after a step.
func (im *importPeople) follow(c StepChanges) {
	if countsAsLoad(c.Was.Ticket) {
		im.loads[c.Was.Ticket.Assignee]--
	}
	if countsAsLoad(c.State.Ticket) {
		im.loads[c.State.Ticket.Assignee]++
	}
	im.turns = append(im.turns, c.Turns...)
	for _, turn := range c.Turns {
		present := im.rosters[turn.Group]
		last := slices.MaxFunc(present, func(a, b ticket.Candidate) int { return cmp.Compare(a.Turn, b.Turn) }).Turn
		i := slices.IndexFunc(present, func(p ticket.Candidate) bool { return p.ID == turn.Person })
		present[i].Turn = last + 1
	}
}

// countsAsLoad reports whether a ticket counts towards its assignee's load.
func countsAsLoad(t ticket.Ticket) bool {
	return slices.Contains([]ticket.Status{ticket.StatusNew, ticket.StatusOpen, ticket.StatusWaiting}, t.Status)
}
