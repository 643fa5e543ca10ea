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

// shelf stores published policy versions and knows the tickets pinned to them.
type shelf interface {
	publishedPolicies
	EditionRecords(context.Context) ([]desk.EditionRecord, error)
	Edition(context.Context, int64) (desk.Edition, error)
	Publish(context.Context, desk.Publication) (desk.Published, error)
	// Chosen calls each for the chosen tickets that can be moved to a version, in the order of their numbers.
	Chosen(ctx context.Context, version int64, c desk.Choice, each func(desk.Record) error) error
	Unmovable(ctx context.Context, version int64, c desk.Choice) ([]desk.Unmoved, error)
	AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.Choice, once desk.Once) (desk.Adoption, error)
	Adoptions(ctx context.Context, version int64, limit int) (desk.AdoptionAudit, error)
}

// Policies publishes policy versions and moves open tickets between them. It authorises changes; the caller authorises
// reading.
type Policies struct {
	shelf shelf
	relay waker
}

// NewPolicies returns Policies over a store. It wakes w after it has accepted commands.
func NewPolicies(s shelf, c waker) *Policies { return &Policies{shelf: s, relay: c} }

// Editions returns every published version, newest first.
func (d *Policies) Editions(ctx context.Context) ([]desk.EditionRecord, error) {
	return d.shelf.EditionRecords(ctx)
}

// Edition returns a published version, and a NotFound fault if it does not exist.
func (d *Policies) Edition(ctx context.Context, version int64) (desk.Edition, error) {
	return d.shelf.Edition(ctx, version)
}

// Publish publishes a document as the next version. It returns a Forbidden fault unless by is a supervisor or an
// administrator, and an Invalid error that lists every problem of the document.
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
	return d.shelf.Publish(ctx, p)
}

// Examine checks a document and compares it with the policy in force, without publishing it.
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
