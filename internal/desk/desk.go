package desk

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// patience is how long whoever asks waits for the outcome of a command before being told that it was accepted.
const patience = 2 * time.Second

type acceptor interface {
	Submit(context.Context, Person, Submission) (Accepted, error)
	// Repeated gives what was accepted before under a key, and false when nothing was.
	Repeated(context.Context, Person, Once) (Accepted, bool, error)
	Command(context.Context, Person, Request) (Accepted, error)
	Rate(context.Context, Person, Rating) (Rating, error)
}

type reader interface {
	Ticket(context.Context, Person, ticket.Number) (Record, error)
	Track(context.Context, ticket.Number) (Record, error)
	List(context.Context, Filter) (records []Record, more bool, err error)
	Timeline(context.Context, Person, ticket.Number) ([]Entry, error)
}

type policies interface {
	Policy(context.Context, int64) (*policy.Policy, error)
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
}

// terms are what promises are made by: the published policies, and the gate.
type terms interface {
	policies
	Gate(context.Context) (ticket.Gate, error)
	// GateSince gives the gate as of a revision or later, without asking when that is known already.
	GateSince(ctx context.Context, revision int64) (ticket.Gate, error)
}

// courier delivers what was accepted. Wake never blocks and never fails: what can't be delivered now is later.
type courier interface{ Wake() }

// outcomes tells what became of a command. It waits until ctx ends, and then gives false.
type outcomes interface {
	Await(context.Context, ticket.Number, int64) (o ticket.Outcome, decided bool, err error)
}

// Desk is what the API and the pages call: one path for every command, whoever renders the answer.
type Desk struct {
	acceptor acceptor
	reader   reader
	terms    terms
	outcomes outcomes
	courier  courier
	inForce  *inForce
}

// New makes a desk on the store's acceptance, reading and terms, the outcomes and the courier.
func New(a acceptor, r reader, t terms, o outcomes, c courier) *Desk {
	return &Desk{acceptor: a, reader: r, terms: t, outcomes: o, courier: c, inForce: &inForce{policies: t}}
}

// Submit accepts a new ticket and promises both instants. Nothing is lost from the moment it returns without an
// error. Category and priority are completed and checked by the policy in force; a repeated submission is answered as
// it was the first time, whatever is in force by now.
func (d *Desk) Submit(ctx context.Context, by Person, s Submission) (Receipt, error) {
	version, p, err := d.inForce.get(ctx)
	if err != nil {
		return Receipt{}, err
	}
	accepted, err := d.accept(ctx, by, s, p)
	if err != nil {
		return Receipt{}, err
	}
	d.courier.Wake()
	if accepted.Policy != version { // another was published in the meantime, or the key is an old one's
		if p, err = d.terms.Policy(ctx, accepted.Policy); err != nil {
			return Receipt{}, err
		}
	}
	return d.receipt(ctx, by, accepted, p)
}

// accept checks and accepts a submission, unless it was accepted before under its key.
func (d *Desk) accept(ctx context.Context, by Person, s Submission, p *policy.Policy) (Accepted, error) {
	if refused := checkSubmission(&s, by, p); refused != nil {
		first, again, err := d.acceptor.Repeated(ctx, by, s.Once)
		if err != nil || again {
			return first, err
		}
		return Accepted{}, refused
	}
	return d.acceptor.Submit(ctx, by, s)
}

// Command accepts a command and waits a little for its outcome. With decided false it was accepted and will be
// decided later; a refusal is in the outcome and is no error. An error beside an accepted number says that the outcome
// can't be learned: the command is kept all the same, and must not be asked for again.
func (d *Desk) Command(ctx context.Context, by Person, r Request) (a Accepted, o ticket.Outcome, decided bool, err error) {
	a, err = d.acceptor.Command(ctx, by, r)
	if err != nil {
		return a, o, false, err
	}
	d.courier.Wake()
	waiting, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	o, decided, err = d.outcomes.Await(waiting, a.Number, a.Seq)
	return a, o, decided, err
}

// Ticket gives one ticket as this person may see it.
func (d *Desk) Ticket(ctx context.Context, viewer Person, n ticket.Number) (View, error) {
	record, err := d.reader.Ticket(ctx, viewer, n)
	if err != nil {
		return View{}, err
	}
	return d.view(ctx, record)
}

// List gives a page of tickets and whether there are more.
func (d *Desk) List(ctx context.Context, f Filter) ([]View, bool, error) {
	records, more, err := d.reader.List(ctx, f)
	if err != nil {
		return nil, false, err
	}
	views := make([]View, 0, len(records))
	for _, r := range records {
		v, err := d.view(ctx, r)
		if err != nil {
			return nil, false, err
		}
		views = append(views, v)
	}
	return views, more, nil
}

// Timeline gives what this person may see of a ticket's history, oldest first.
func (d *Desk) Timeline(ctx context.Context, viewer Person, n ticket.Number) ([]Entry, error) {
	return d.reader.Timeline(ctx, viewer, n)
}

// Track gives what the number alone shows.
func (d *Desk) Track(ctx context.Context, n ticket.Number) (Tracking, error) {
	record, err := d.reader.Track(ctx, n)
	if err != nil {
		return Tracking{}, err
	}
	v, err := d.view(ctx, record)
	if err != nil {
		return Tracking{}, err
	}
	return Tracking{Number: n, Status: v.Ticket.Status, Submitted: record.Submitted, Promises: v.Promised()}, nil
}

// PolicyInForce gives the policy that a ticket accepted now would be pinned to, with its document.
func (d *Desk) PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error) {
	return d.terms.PolicyInForce(ctx)
}

// view completes a record. A ticket that the workflow has not taken yet, or that does not know yet of an emergency's
// beginning, change or end, is shown as it will be: the domain is pure, so the step can be foretold.
func (d *Desk) view(ctx context.Context, r Record) (View, error) {
	p, err := d.terms.Policy(ctx, r.Policy)
	if err != nil {
		return View{}, err
	}
	v := View{Record: r, Policy: p}
	gate, err := d.terms.GateSince(ctx, r.Gate)
	if err != nil {
		return View{}, err
	}
	if r.State != nil && !r.State.Ticket.InEmergency() && !behind(r.State.Ticket, gate) {
		v.Ticket, v.Next = r.State.Ticket, r.State.Next
		return v, nil
	}
	return foretell(v, ticket.Desk{Policy: p, Gate: gate})
}
