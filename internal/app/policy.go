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

// policyVersions holds the published policy versions.
type policyVersions interface {
	publishStore
	PolicyVersionRecords(context.Context) ([]desk.PolicyVersionRecord, error)
	PolicyVersion(context.Context, int64) (desk.PolicyVersion, error)
}

// adoptionStore moves open tickets to another version of the policy.
type adoptionStore interface {
	// Chosen calls each with the tickets of a choice that can be moved to a version, in the order of their numbers.
	Chosen(ctx context.Context, version int64, c desk.TicketChoice, each func(desk.Record) error) error
	// TicketPolicies returns status and version of those of some tickets that exist.
	TicketPolicies(context.Context, []ticket.Number) (map[ticket.Number]TicketPolicy, error)
	// AdoptPolicy accepts a command for each ticket of a choice that can be moved to a version. It returns desk.ErrKeyReused if
	// the key was used before, which AdoptedBefore tells more about.
	AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.TicketChoice, key desk.IdempotencyKey) ([]desk.Adopted, error)
	// AdoptedBefore returns the commands that a person sent with a key.
	AdoptedBefore(ctx context.Context, by ticket.PersonID, key desk.IdempotencyKey) ([]KeyedCommand, error)
	Adoptions(ctx context.Context, version int64, limit int) (desk.AdoptionAudit, error)
}

// KeyedCommand is a command that was sent with an idempotency key.
type KeyedCommand struct {
	desk.Adopted
	Same bool // it moves its ticket, as the same request would
}

// TicketPolicy is a ticket's status and the policy version that it is pinned to.
type TicketPolicy struct {
	Status  ticket.Status
	Version int64
}

// Policies lets supervisors publish policies and move open tickets to another version. It checks the permission for changes;
// the caller checks that for reading.
type Policies struct {
	policies  publishedPolicies
	versions  policyVersions
	adoptions adoptionStore
	relay     waker
}

// NewPolicies returns Policies over a store. It wakes the relay after each adoption.
func NewPolicies(p publishedPolicies, v policyVersions, a adoptionStore, relay waker) *Policies {
	return &Policies{policies: p, versions: v, adoptions: a, relay: relay}
}

// PolicyVersions returns all published versions, newest first.
func (s *Policies) PolicyVersions(ctx context.Context) ([]desk.PolicyVersionRecord, error) {
	return s.versions.PolicyVersionRecords(ctx)
}

// PolicyVersion returns a published version, and a NotFound fault if it does not exist.
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

// Examine checks a document and compares it with the policy in force. A document that is not valid is no error; its problems
// are in the draft.
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
