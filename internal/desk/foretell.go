package desk

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// behind reports whether a ticket has still to be told of an edge of the gate.
func behind(t ticket.Ticket, gate ticket.Gate) bool {
	edge, ok := ticket.NextEdge(t, gate)
	return ok && !edge.At.After(time.Now())
}

// foretell completes what is shown of a ticket that an emergency stops, that is behind the gate, or that no step has
// taken yet.
func foretell(v View, desk ticket.Desk) (_ View, err error) {
	if v.State != nil && !behind(v.State.Ticket, desk.Gate) {
		v.Ticket, v.Next = v.State.Ticket, v.State.Next
	} else {
		if v.State == nil {
			v.Ticket, err = foretold(v.Record, desk)
		} else {
			v.Ticket, err = woven(v.State.Ticket, desk)
		}
		if err != nil {
			return View{}, err
		}
		v.Next, _ = ticket.Next(v.Ticket, v.Policy)
	}
	if v.Expected, err = ticket.Expected(v.Ticket, desk); err != nil {
		return View{}, err
	}
	v.GoesOn, err = ticket.GoesOn(v.Ticket, desk)
	return v, err
}

// foretold is the ticket as its first step will leave it now: the domain is pure.
func foretold(r Record, desk ticket.Desk) (ticket.Ticket, error) {
	first, err := ticket.Take(ticket.Draft(r.Number, r.Requester.ID, r.Policy, desk.Policy), desk, r.Submission)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return woven(first.Ticket, desk)
}

// woven is the ticket as its next step will leave it now.
func woven(t ticket.Ticket, desk ticket.Desk) (ticket.Ticket, error) {
	now, err := ticket.Weave(t, desk, time.Now().UTC().Truncate(time.Second))
	return now.Ticket, err
}

// WouldPromise is what a ticket of normal priority would be promised that is sent at an instant, under a policy and by
// the emergencies that are in force then.
func (d *Desk) WouldPromise(ctx context.Context, p *policy.Policy, at time.Time) (Promised, error) {
	gate, err := d.terms.Gate(ctx)
	if err != nil {
		return Promised{}, err
	}
	desk := ticket.Desk{Policy: p, Gate: gate}
	taken, err := ticket.Take(ticket.Draft("", "", 0, p), desk, ticket.Command{
		Seq: 1, Verb: ticket.VerbSubmit, By: ticket.Actor{Role: ticket.RoleCustomer}, At: at.UTC().Truncate(time.Second),
		Priority: policy.PriorityNormal, Category: p.Categories[0],
	})
	if err != nil {
		return Promised{}, err
	}
	expected, err := ticket.Expected(taken.Ticket, desk)
	if err != nil {
		return Promised{}, err
	}
	goesOn, err := ticket.GoesOn(taken.Ticket, desk)
	return PromisedOf(taken.Ticket, expected, goesOn), err
}

// receipt says what acceptance has promised. The gate may have changed since, but not what it was at that instant.
func (d *Desk) receipt(ctx context.Context, by Person, a Accepted, p *policy.Policy) (Receipt, error) {
	gate, err := d.gateOf(ctx, a)
	if err != nil {
		return Receipt{}, err
	}
	desk := ticket.Desk{Policy: p, Gate: gate}
	first, err := ticket.Take(ticket.Draft(a.Number, by.ID, a.Policy, p), desk, ticket.Command{
		Seq: 1, Verb: ticket.VerbSubmit, By: ticket.Actor{ID: by.ID, Role: ticket.RoleCustomer}, At: a.At,
		Priority: a.Priority, Category: a.Category,
	})
	if err != nil {
		return Receipt{}, err
	}
	r := Receipt{Accepted: a, Emergencies: gate.InForce(a.At)}
	r.Promises.FirstResponse, _ = first.Ticket.FirstResponse.Clock.Due()
	r.Promises.Resolution, _ = first.Ticket.Resolution.Clock.Due()
	if r.Expected, err = ticket.Expected(first.Ticket, desk); err != nil {
		return Receipt{}, err
	}
	r.GoesOn, err = ticket.GoesOn(first.Ticket, desk)
	return r, err
}

func (d *Desk) gateOf(ctx context.Context, a Accepted) (ticket.Gate, error) {
	if a.Again { // nobody wrote down the revision
		return d.terms.Gate(ctx)
	}
	return d.terms.GateSince(ctx, a.Gate)
}
