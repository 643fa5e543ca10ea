package app

import (
	"context"
	"errors"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// shelf is where published versions are kept, and the tickets that are under them.
type policyStore interface {
	publishedPolicies
	EditionRecords(context.Context) ([]desk.EditionRecord, error)
	Edition(context.Context, int64) (desk.Edition, error)
	Publish(context.Context, desk.Publication) (desk.Published, error)
	// Chosen gives the tickets of a choice that can be moved to a version, one by one, in the order of their numbers.
	Chosen(ctx context.Context, version int64, c desk.Choice, each func(desk.Record) error) error
	Unmovable(ctx context.Context, version int64, c desk.Choice) ([]desk.Unmoved, error)
	AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.Choice, once desk.Once) (desk.Adoption, error)
	Adoptions(ctx context.Context, version int64, limit int) (desk.AdoptionAudit, error)
}

// Policies is how supervisors change the policy, and which one open tickets are under. Who may is the caller's to
// check for reading, and its own for changes.
type Policies struct {
	store policyStore
	relay waker
}

// NewPolicies makes it on the store and the courier that delivers what it accepts.
func NewPolicies(s policyStore, c waker) *Policies { return &Policies{store: s, relay: c} }

// Editions gives every published version, the newest first.
func (d *Policies) Editions(ctx context.Context) ([]desk.EditionRecord, error) {
	return d.store.EditionRecords(ctx)
}

// Edition gives one published version, or NotFound.
func (d *Policies) Edition(ctx context.Context, version int64) (desk.Edition, error) {
	return d.store.Edition(ctx, version)
}

// Publish publishes the next version. It is Forbidden to all but supervisors and administrators, and Invalid with
// everything at fault.
func (d *Policies) Publish(ctx context.Context, by desk.Person, p desk.Publication) (desk.Published, error) {
	if !by.Role.Commands() {
		return desk.Published{}, fault.New(fault.Forbidden, "only supervisors publish policies")
	}
	if err := p.Check(); err != nil {
		return desk.Published{}, err
	}
	if _, err := policy.Parse(p.Document); err != nil {
		return desk.Published{}, err
	}
	p.Author, p.Reason = string(by.ID), strings.TrimSpace(p.Reason)
	return d.store.Publish(ctx, p)
}

// Examine says what a document would mean, beside the policy in force.
func (d *Policies) Examine(ctx context.Context, document []byte, now time.Time) (desk.Draft, error) {
	version, today, _, err := d.store.PolicyInForce(ctx)
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
