package app

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// maxListedMoves is the maximum number of tickets that a dry run lists.
const maxListedMoves = 100

// DryRun computes what moving the chosen tickets to a version would change, ticket by ticket, without changing anything.
func (s *Policies) DryRun(ctx context.Context, version int64, c desk.TicketChoice, now time.Time) (desk.AdoptionDryRun, error) {
	if err := c.Check(version); err != nil {
		return desk.AdoptionDryRun{}, err
	}
	is, err := s.policies.Policy(ctx, version)
	if err != nil {
		return desk.AdoptionDryRun{}, err
	}
	var run desk.AdoptionDryRun
	var movable []desk.Adopted
	err = s.adoptions.Chosen(ctx, version, c, func(r desk.Record) error {
		was, err := s.policies.Policy(ctx, r.Policy)
		if err != nil {
			return err
		}
		move, mails, err := compareMove(r, was, is, version, now.UTC().Truncate(time.Second))
		if err != nil {
			return err
		}
		movable = append(movable, desk.Adopted{Number: r.Number})
		addMove(&run, move, mails)
		return nil
	})
	if err != nil {
		return desk.AdoptionDryRun{}, err
	}
	run.Unmoved, err = s.unmovable(ctx, version, c.Without(movable))
	return run, err
}

func addMove(run *desk.AdoptionDryRun, m desk.AdoptionMove, mails int) {
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
	if len(run.Moves) < maxListedMoves {
		run.Moves = append(run.Moves, m)
	}
}

// compareMove decides the move of a ticket and compares its promises before and after. It also returns how many mails the
// move would owe.
func compareMove(r desk.Record, was, is *policy.Policy, version int64, now time.Time) (desk.AdoptionMove, int, error) {
	before := ticket.Draft(r.Number, r.Requester.ID, r.Policy, was)
	if r.State != nil {
		before = r.State.Ticket
	} else {
		first, err := ticket.Decide(before, ticket.Environment{Policy: was}, r.Submission)
		if err != nil {
			return desk.AdoptionMove{}, 0, err
		}
		before = first.Ticket
	}
	after, err := ticket.Decide(before, ticket.Environment{Policy: was}, ticket.Command{
		Seq: 1, Verb: ticket.VerbAdoptPolicy, By: ticket.Actor{Role: ticket.RoleOperator}, At: now, Policy: version, Adopt: is,
	})
	if err != nil {
		return desk.AdoptionMove{}, 0, err
	}
	move := desk.AdoptionMove{Number: r.Number, From: r.Policy}
	for _, name := range policy.ClockNames() {
		had, has := before.Promise(name), after.Ticket.Promise(name)
		if !has.MetAt.IsZero() || !has.BreachedAt.IsZero() || has.Clock.Met() {
			continue
		}
		p := desk.PromiseMove{Clock: name}
		p.Was, _ = had.Clock.Due()
		p.Is, _ = has.Clock.Due()
		p.DueAtOnce = !p.Is.IsZero() && !p.Is.After(now)
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

// Adopt moves the chosen open tickets to a published version. It accepts a command for each ticket at once, and the
// commands are delivered like any other. It returns a Forbidden fault unless by is a supervisor or an administrator, and
// a NotFound fault if the version does not exist.
func (s *Policies) Adopt(ctx context.Context, by desk.Person, version int64, c desk.TicketChoice, key desk.IdempotencyKey) (desk.Adoption, error) {
	if err := authorise(by, mayAsk(ticket.VerbAdoptPolicy)); err != nil {
		return desk.Adoption{}, err
	}
	if err := c.Check(version); err != nil {
		return desk.Adoption{}, err
	}
	if _, err := s.policies.Policy(ctx, version); err != nil {
		return desk.Adoption{}, err
	}
	adoption, err := s.adoptedBefore(ctx, by, key)
	if err == nil && !adoption.Again {
		adoption.Accepted, err = s.adoptions.AdoptPolicy(ctx, by, version, c, key)
		if errors.Is(err, desk.ErrKeyReused) { // the same request arrived twice at the same time
			adoption, err = s.adoptedBefore(ctx, by, key)
		}
	}
	if err != nil {
		return desk.Adoption{}, err
	}
	s.relay.Wake()
	if !adoption.Again {
		adoption.Unmoved, err = s.unmovable(ctx, version, c.Without(adoption.Accepted))
	}
	return adoption, err
}

// adoptedBefore returns what the same request, with the same key, led to before. It returns desk.ErrKeyReused for the key of
// another request.
func (s *Policies) adoptedBefore(ctx context.Context, by desk.Person, key desk.IdempotencyKey) (before desk.Adoption, err error) {
	if key.Key == "" {
		return before, nil
	}
	commands, err := s.adoptions.AdoptedBefore(ctx, by.ID, key)
	for _, c := range commands {
		if c.Same {
			before.Accepted, before.Again = append(before.Accepted, c.Adopted), true
		}
	}
	if err == nil && len(commands) > 0 && !before.Again {
		err = desk.ErrKeyReused
	}
	return before, err
}

// unmovable returns which tickets that a choice names can't be moved to a version, and why, in the order of the choice.
func (s *Policies) unmovable(ctx context.Context, version int64, c desk.TicketChoice) ([]desk.NotAdopted, error) {
	if len(c.Tickets) == 0 {
		return nil, nil
	}
	found, err := s.adoptions.TicketPolicies(ctx, c.Tickets)
	if err != nil {
		return nil, err
	}
	var unmoved []desk.NotAdopted
	for _, n := range c.Tickets {
		switch t, exists := found[n]; {
		case !exists:
			unmoved = append(unmoved, desk.NotAdopted{Number: n, Code: "not-found", Reason: "there is no such ticket"})
		case t.Status == ticket.StatusClosed:
			unmoved = append(unmoved, desk.NotAdopted{Number: n, Code: ticket.CodeClosed, Reason: "the ticket is closed permanently"})
		case t.Version == version:
			unmoved = append(unmoved, desk.NotAdopted{Number: n, Code: ticket.CodeNothing, Reason: "the ticket already uses this policy version"})
		}
	}
	return unmoved, nil
}

// Audit returns the latest moves of tickets to a version, newest first.
func (s *Policies) Audit(ctx context.Context, version int64) (desk.AdoptionAudit, error) {
	audit, err := s.adoptions.Adoptions(ctx, version, maxListedAdoptions)
	for i := range audit.Latest {
		audit.Latest[i].By = cmp.Or(audit.Latest[i].By, "Temporal UI")
	}
	return audit, err
}

// maxListedAdoptions is the maximum number of moves that an audit lists.
const maxListedAdoptions = 100
