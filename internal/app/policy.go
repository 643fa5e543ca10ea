package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// shelf is where published versions are kept, and the tickets that are under them.
type shelf interface {
	publishedPolicies
	publishStore
	EditionRecords(context.Context) ([]desk.EditionRecord, error)
	Edition(context.Context, int64) (desk.Edition, error)
	// Chosen gives the tickets of a choice that can be moved to a version, one by one, in the order of their numbers.
	Chosen(ctx context.Context, version int64, c desk.Choice, each func(desk.Record) error) error
	// TicketPolicies returns those of some tickets that exist.
	TicketPolicies(context.Context, []ticket.Number) (map[ticket.Number]TicketPolicy, error)
	AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.Choice, once desk.Once) (desk.Adoption, error)
	Adoptions(ctx context.Context, version int64, limit int) (desk.AdoptionAudit, error)
}

// TicketPolicy is a ticket's status, and the version of the policy that it is under.
type TicketPolicy struct {
	Status  ticket.Status
	Version int64
}

// Policies is how supervisors change the policy, and which one open tickets are under. Who may is the caller's to
// check for reading, and its own for changes.
type Policies struct {
	shelf   shelf
	courier waker
}

// NewPolicies makes it on the store and the courier that delivers what it accepts.
func NewPolicies(s shelf, c waker) *Policies { return &Policies{shelf: s, courier: c} }

// Editions gives every published version, the newest first.
func (d *Policies) Editions(ctx context.Context) ([]desk.EditionRecord, error) {
	return d.shelf.EditionRecords(ctx)
}

// Edition gives one published version, or NotFound.
func (d *Policies) Edition(ctx context.Context, version int64) (desk.Edition, error) {
	return d.shelf.Edition(ctx, version)
}

// Publish publishes the next version. It is Forbidden to all but supervisors and administrators, and Invalid with
// everything at fault.
func (d *Policies) Publish(ctx context.Context, by desk.Person, p desk.Publication) (desk.Published, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return desk.Published{}, err
	}
	if err := p.Check(); err != nil {
		return desk.Published{}, err
	}
	if _, err := policy.Parse(p.Document); err != nil {
		return desk.Published{}, err
	}
	p.Author, p.Reason = string(by.ID), strings.TrimSpace(p.Reason)
	return Publish(ctx, d.shelf, p)
}

// Examine says what a document would mean, beside the policy in force.
func (d *Policies) Examine(ctx context.Context, document []byte, now time.Time) (desk.Draft, error) {
	version, today, _, err := d.shelf.PolicyInForce(ctx)
	if err != nil {
		return desk.Draft{}, err
	}
	draft := desk.Draft{InForce: version}
	p, err := policy.Parse(document)
	if problems, ok := errors.AsType[policy.Problems](err); ok {
		draft.Problems = problems
		return draft, nil
	}
	if err != nil {
		return desk.Draft{}, err
	}
	draft.Advice, draft.Differences = p.Lint(), p.Differences(today)
	for _, e := range p.Examples(now) {
		pair := desk.ExamplePair{Example: e}
		if !e.At.IsZero() {
			pair.Today, _ = today.Promise(e.At, policy.PriorityNormal) // ErrNeverOpens leaves it out
		}
		draft.Examples = append(draft.Examples, pair)
	}
	return draft, nil
}
