package app

import (
	"context"
	"fmt"
	"slices"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// ImportStore stores imported tickets.
type ImportStore interface {
	// ImportTx runs fn in a transaction in which neither the emergency schedule nor the policy in force changes, and
	// commits it if fn returns nil.
	ImportTx(ctx context.Context, fn func(ImportTx) error) error
}

// ImportTx is the transaction of one import.
type ImportTx interface {
	recipientReader

	// Fresh returns those of some numbers that no ticket has.
	Fresh(context.Context, []ticket.Number) (map[ticket.Number]bool, error)
	// Begin reserves IDs for so many messages and returns what the import starts from.
	Begin(ctx context.Context, messages int) (ImportBase, error)
	Policy(ctx context.Context, version int64) (*policy.Policy, error)
	// Roster returns the members of a group who are available now.
	Roster(ctx context.Context, group string) ([]ticket.Candidate, error)
	// KeepAlive keeps the transaction from timing out while the caller computes. It is cheap to call often.
	KeepAlive(context.Context) error
	// Write stores the tickets, and turns in their order.
	Write(ctx context.Context, tickets []ImportedTicket, turns []RotationTurn) error
}

// ImportBase is what an import starts from.
type ImportBase struct {
	Now      time.Time // a whole second
	Policy   int64     // the version in force
	Schedule ticket.EmergencySchedule
	Messages []int64 // IDs for new messages
}

// ImportedTicket is a ticket that is ready to be stored.
type ImportedTicket struct {
	desk.ImportTicket
	Commands []ticket.Command // one for each action
	Changes  StepChanges      // from the draft to the present state; its deliveries are those below
	Mails    []ImportedMail
	Calls    []ImportedCall
	RatedBy  ticket.PersonID // assignee when the ticket was rated; empty: none
}

// ImportedMail is a mail that counts as sent, or as bounced.
type ImportedMail struct {
	Mail
	At       time.Time
	Reason   string // of its bounce
	FailedBy int    // the event that records the bounce; 0: it was sent
}

// ImportedCall is a webhook that counts as called.
type ImportedCall struct {
	Call
	At time.Time
}

// Imports imports tickets together with their history.
type Imports struct{ store ImportStore }

// NewImports returns Imports over a store.
func NewImports(store ImportStore) *Imports { return &Imports{store} }

// Import imports tickets with their history in one transaction and returns how many it added. Tickets whose number exists
// are skipped, so an interrupted import can simply be run again. The caller bounds the memory by importing a few thousand
// tickets at a time.
//
// Every action is a step at its own time, and so is everything that was due up to now, so the state is the fold of its
// events as if this desk had handled the ticket all along. No mail is sent for the past: mails count as sent, or as
// bounced where the ticket says so. For a ticket that is not closed, the relay then starts a workflow.
//
// Import returns an Invalid fault that names the ticket if its history is impossible. The people whom a ticket names must
// exist.
func (im *Imports) Import(ctx context.Context, tickets []desk.ImportTicket) (added int, err error) {
	err = im.store.ImportTx(ctx, func(tx ImportTx) error {
		fresh, err := fresh(ctx, tx, tickets)
		if err != nil || len(fresh) == 0 {
			return err
		}
		added = len(fresh)
		return importAll(ctx, tx, fresh)
	})
	if err != nil {
		return 0, err
	}
	return added, nil
}

// fresh returns the tickets that do not exist yet, without duplicates.
func fresh(ctx context.Context, tx ImportTx, tickets []desk.ImportTicket) ([]desk.ImportTicket, error) {
	numbers := make([]ticket.Number, 0, len(tickets))
	for _, t := range tickets {
		numbers = append(numbers, t.Number)
	}
	isFresh, err := tx.Fresh(ctx, numbers)
	if err != nil {
		return nil, err
	}
	var some []desk.ImportTicket
	for _, t := range tickets {
		if isFresh[t.Number] {
			isFresh[t.Number] = false
			some = append(some, t)
		}
	}
	return some, nil
}

func importAll(ctx context.Context, tx ImportTx, tickets []desk.ImportTicket) error {
	messages := 0
	for _, t := range tickets {
		for _, a := range t.Actions {
			if a.Body != "" {
				messages++
			}
		}
	}
	base, err := tx.Begin(ctx, messages)
	if err != nil {
		return err
	}
	people := newImportPeople(tx)
	imported := make([]ImportedTicket, 0, len(tickets))
	for _, t := range tickets {
		if err := tx.KeepAlive(ctx); err != nil {
			return err
		}
		done, err := importOne(ctx, tx, &base, people, t)
		if err != nil {
			return err
		}
		imported = append(imported, done)
	}
	return tx.Write(ctx, imported, people.turns)
}

func importOne(ctx context.Context, tx ImportTx, base *ImportBase, people *importPeople, t desk.ImportTicket) (ImportedTicket, error) {
	version := t.Policy
	if version == 0 {
		version = base.Policy
	}
	p, err := tx.Policy(ctx, version)
	if err == nil {
		err = checkImport(t, p, base.Now)
	}
	if err != nil {
		return ImportedTicket{}, err
	}
	past := newReplay(people, t, version, ticket.Environment{Policy: p, Schedule: base.Schedule})
	for i, a := range t.Actions {
		if err := past.catchUp(ctx, a.At); err != nil {
			return ImportedTicket{}, err
		}
		if err := past.act(ctx, command(int64(i+1), a, base)); err != nil {
			return ImportedTicket{}, err
		}
	}
	if err := past.catchUp(ctx, base.Now); err != nil {
		return ImportedTicket{}, err
	}
	return past.finish(base.Now)
}

// command returns the command of an action.
func command(seq int64, a desk.ImportAction, base *ImportBase) ticket.Command {
	c := ticket.Command{
		Seq: seq, Verb: a.Verb, By: a.By.Actor(), At: a.At.UTC(), Handle: a.By.Handle, Priority: a.Priority, Category: a.Category,
	}
	if a.Body != "" {
		c.Message, base.Messages = base.Messages[0], base.Messages[1:]
	}
	if a.Verb == ticket.VerbAssign {
		agent := a.Agent
		if agent.ID == "" {
			agent = a.By
		}
		c.Assignee, c.Handle = agent.ID, agent.Handle
	}
	return c
}

func unimportable(t desk.ImportTicket, format string, args ...any) error {
	return fault.New(fault.Invalid, "ticket %q can't be imported: %s", string(t.Number), fmt.Sprintf(format, args...))
}

// checkImport returns an Invalid fault for a history that the API would not have accepted. Actions that the domain refuses
// are allowed.
func checkImport(t desk.ImportTicket, p *policy.Policy, now time.Time) error {
	if n, err := ticket.ParseNumber(string(t.Number)); err != nil || n != t.Number {
		return unimportable(t, "the number is not a valid ticket number")
	}
	if len(t.Actions) == 0 || t.Actions[0].Verb != ticket.VerbSubmit {
		return unimportable(t, "its first action is not a submission")
	}
	first := t.Actions[0]
	if !slices.Contains(p.Categories, first.Category) || !first.Priority.Valid() {
		return unimportable(t, "its policy has no category %q or priority %q", first.Category, string(first.Priority))
	}
	if length := utf8.RuneCountInString(first.Subject); length == 0 || length > desk.MaxSubject || first.Body == "" {
		return unimportable(t, "a submission needs a subject of 1 to %d characters and a message", desk.MaxSubject)
	}
	var before time.Time
	for i, a := range t.Actions {
		if err := checkAction(t, i, before, now); err != nil {
			return err
		}
		before = a.At
	}
	return nil
}

func checkAction(t desk.ImportTicket, i int, before, now time.Time) error {
	switch a := t.Actions[i]; {
	case !ticket.MayAsk(a.By.Role, a.Verb), i == 0 && a.By.Role != ticket.RoleCustomer, i > 0 && a.Verb == ticket.VerbSubmit:
		return unimportable(t, "%s may not ask for action %d, %q", a.By.Role, i+1, string(a.Verb))
	case !a.At.Equal(a.At.Truncate(time.Second)), a.At.Before(before), a.At.After(now):
		return unimportable(t, "the time of action %d is not a whole second, or is before the previous action, or is in the future", i+1)
	case len(a.Body) > desk.MaxBody, i > 0 && a.Subject != "":
		return unimportable(t, "the message of action %d is too long or has a subject", i+1)
	case a.Priority != "" && !a.Priority.Valid(), a.Agent.ID != "" && !a.Agent.Role.Staff():
		return unimportable(t, "action %d has an unknown priority or an agent who is not staff", i+1)
	}
	return nil
}

// checkRating returns an Invalid fault for a rating that would have been refused or is in the future. last is the time of
// the ticket's last event.
func checkRating(t desk.ImportTicket, is ticket.Ticket, last, now time.Time) error {
	r := t.Rating
	if r == nil {
		return nil
	}
	latest := now
	if closed := last.Add(desk.RatingTime); is.Closed() && closed.Before(now) {
		latest = closed
	}
	switch {
	case is.Status != ticket.StatusResolved && !is.Closed():
		return unimportable(t, "it has a rating but is not resolved")
	case r.Score < desk.MinScore, r.Score > desk.MaxScore, utf8.RuneCountInString(r.Comment) > desk.MaxComment:
		return unimportable(t, "its rating is out of range")
	case r.At.After(latest):
		return unimportable(t, "its rating is too late or in the future")
	}
	return nil
}
