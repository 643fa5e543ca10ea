package desk

import (
	"context"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxChosen is how many tickets a choice may name.
const MaxChosen = 1000

// Choice names the open tickets that are to be moved to another version: those listed, or all under a version.
type Choice struct {
	Tickets []ticket.Number
	From    int64 // 0: those listed
}

func (c Choice) check(version int64) error {
	switch {
	case (len(c.Tickets) > 0) == (c.From != 0):
		return fault.Field("tickets", "choose tickets, or a version from which all open ones are moved")
	case len(c.Tickets) > MaxChosen:
		return fault.Field("tickets", "must name %d tickets at most", MaxChosen)
	case c.From < 0 || c.From == version:
		return fault.Field("from_version", "must be another version")
	}
	return nil
}

// but leaves out what was accepted.
func (c Choice) but(accepted []Adopted) Choice {
	c.Tickets = slices.DeleteFunc(slices.Clone(c.Tickets), func(n ticket.Number) bool {
		return slices.ContainsFunc(accepted, func(m Adopted) bool { return m.Number == n })
	})
	return c
}

// Adoption answers a move.
type Adoption struct {
	Accepted []Adopted
	Unmoved  []Unmoved
	Again    bool // accepted before, under the same key
}

// Adopted is a command that was accepted.
type Adopted struct {
	Number ticket.Number
	Seq    int64
}

// Unmoved is a ticket that was chosen and can't be moved.
type Unmoved struct {
	Number ticket.Number
	Code   string
	Reason string
}

// AdoptionAudit is what became of the moves to a version.
type AdoptionAudit struct {
	Granted, Refused, Undecided int
	Latest                      []AdoptionLine
}

// AdoptionLine is one move.
type AdoptionLine struct {
	Number  ticket.Number
	At      time.Time
	By      string // a name, or who moved it by hand
	From    int64  // 0 unless it was granted
	Decided bool
	Code    string // of a refusal
	Reason  string
}

// Rehearsal is what a move would come to now.
type Rehearsal struct {
	Tickets   int
	Earlier   int // promises that would be due earlier
	Later     int
	DueAtOnce int // promises that would be broken by the change itself
	Mails     int // to requesters whose dates change
	Moves     []AdoptionMove
	Unmoved   []Unmoved
}

// mostMoves is how many tickets a dry run tells one by one.
const mostMoves = 100

// AdoptionMove is what becomes of one ticket's promises.
type AdoptionMove struct {
	Number   ticket.Number
	From     int64
	Promises []PromiseMove // those that change
}

// PromiseMove is a promise that is owed, before and after. A zero instant is none: the clock stands still.
type PromiseMove struct {
	Clock     policy.ClockName
	Was, Is   time.Time
	DueAtOnce bool
}

// DryRun works out what a move would come to, ticket by ticket, and changes nothing.
func (d *Policies) DryRun(ctx context.Context, version int64, c Choice, now time.Time) (Rehearsal, error) {
	if err := c.check(version); err != nil {
		return Rehearsal{}, err
	}
	is, err := d.shelf.Policy(ctx, version)
	if err != nil {
		return Rehearsal{}, err
	}
	var run Rehearsal
	var movable []Adopted
	err = d.shelf.Chosen(ctx, version, c, func(r Record) error {
		was, err := d.shelf.Policy(ctx, r.Policy)
		if err != nil {
			return err
		}
		move, mails, err := foretellMove(r, was, is, version, now.UTC().Truncate(time.Second))
		if err != nil {
			return err
		}
		movable = append(movable, Adopted{Number: r.Number})
		run.add(move, mails)
		return nil
	})
	if err != nil {
		return Rehearsal{}, err
	}
	run.Unmoved, err = d.shelf.Unmovable(ctx, version, c.but(movable))
	return run, err
}

func (run *Rehearsal) add(m AdoptionMove, mails int) {
	run.Tickets++
	run.Mails += mails
	for _, p := range m.Promises {
		switch {
		case p.DueAtOnce:
			run.DueAtOnce++
		case !p.Was.IsZero() && p.Is.Before(p.Was) && !p.Is.IsZero():
			run.Earlier++
		case !p.Was.IsZero() && p.Is.After(p.Was):
			run.Later++
		}
	}
	if len(run.Moves) < mostMoves {
		run.Moves = append(run.Moves, m)
	}
}

// foretellMove lets the domain decide the move and compares.
func foretellMove(r Record, was, is *policy.Policy, version int64, now time.Time) (AdoptionMove, int, error) {
	before := ticket.Draft(r.Number, r.Requester.ID, r.Policy, was)
	at := now
	if r.State != nil {
		before = r.State.Ticket
	} else {
		first, err := ticket.Take(before, ticket.Desk{Policy: was}, r.Submission)
		if err != nil {
			return AdoptionMove{}, 0, err
		}
		before = first.Ticket
	}
	after, err := ticket.Take(before, ticket.Desk{Policy: was}, ticket.Command{
		Seq: 1, Verb: ticket.VerbAdoptPolicy, By: ticket.Actor{Role: ticket.RoleOperator}, At: at, Policy: version, Adopt: is,
	})
	if err != nil {
		return AdoptionMove{}, 0, err
	}
	move := AdoptionMove{Number: r.Number, From: r.Policy}
	for _, name := range policy.ClockNames() {
		had, has := before.Promise(name), after.Ticket.Promise(name)
		if !has.MetAt.IsZero() || !has.BreachedAt.IsZero() || has.Clock.Settled() {
			continue
		}
		p := PromiseMove{Clock: name}
		p.Was, _ = had.Clock.Due()
		p.Is, _ = has.Clock.Due()
		p.DueAtOnce = !p.Is.IsZero() && !p.Is.After(at)
		if !p.Was.Equal(p.Is) {
			move.Promises = append(move.Promises, p)
		}
	}
	mails := 0
	for _, m := range after.Mails {
		if m.Kind == ticket.MailPolicyChange {
			mails++
		}
	}
	return move, mails, nil
}
