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

// policyVersions holds the published versions.
type policyVersions interface {
	publishStore
	PolicyVersionRecords(context.Context) ([]desk.PolicyVersionRecord, error)
	PolicyVersion(context.Context, int64) (desk.PolicyVersion, error)
}

// adoptionStore moves open tickets to another version of the policy.
type adoptionStore interface {
	// Chosen calls each with the tickets of a choice that can be moved to a version, in the order of their numbers.
	Chosen(ctx context.Context, version int64, c desk.TicketChoice, each func(desk.Record) error) error
	// TicketPolicies returns those of some tickets that exist.
	TicketPolicies(context.Context, []ticket.Number) (map[ticket.Number]TicketPolicy, error)
	AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.TicketChoice, key desk.IdempotencyKey) (desk.Adoption, error)
	Adoptions(ctx context.Context, version int64, limit int) (desk.AdoptionAudit, error)
}

// TicketPolicy is a ticket's status, and the version of the policy that it is under.
type TicketPolicy struct {
	Status  ticket.Status
	Version int64
}

// Policies is how supervisors publish policies, and move open tickets to another version. Who may read is the caller's
// to check; who may change is checked here.
type Policies struct {
	policies  publishedPolicies
	versions  policyVersions
	adoptions adoptionStore
	relay     waker
}

// NewPolicies returns the service on a store. It wakes the relay after each adoption.
func NewPolicies(p publishedPolicies, v policyVersions, a adoptionStore, relay waker) *Policies {
	return &Policies{policies: p, versions: v, adoptions: a, relay: relay}
}

// PolicyVersions returns every published version, the newest first.
func (s *Policies) PolicyVersions(ctx context.Context) ([]desk.PolicyVersionRecord, error) {
	return s.versions.PolicyVersionRecords(ctx)
}

// PolicyVersion returns one published version, or NotFound.
func (s *Policies) PolicyVersion(ctx context.Context, version int64) (desk.PolicyVersion, error) {
	return s.versions.PolicyVersion(ctx, version)
}

// Publish publishes a document as the next version. It returns a Forbidden fault unless by is a supervisor or an
// administrator, and an Invalid error that lists every problem of the document.
func (s *Policies) Publish(ctx context.Context, by desk.Person, p desk.Publication) (desk.Published, error) {
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
	return Publish(ctx, s.versions, p)
}

// Examine returns what a document would mean, beside the policy in force.
func (s *Policies) Examine(ctx context.Context, document []byte, now time.Time) (desk.Draft, error) {
	version, today, _, err := s.policies.PolicyInForce(ctx)
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
			pair.Today, _ = today.DeadlinesFor(e.At, policy.PriorityNormal) // ErrNeverOpens leaves it out
		}
		draft.Examples = append(draft.Examples, pair)
	}
	return draft, nil
}
