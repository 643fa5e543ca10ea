package app

import (
	"bytes"
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
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

// CheckDraft checks a document and compares it with the policy in force. A document that is not valid is no error; its problems
// are in the draft.
func (s *Policies) CheckDraft(ctx context.Context, document []byte, now time.Time) (desk.Draft, error) {
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

// policyCacheTime is how long the policy in force is cached. It only decides whether a submission's category and
// priority are offered; which version the ticket is pinned to is read in the transaction that accepts it.
const policyCacheTime = time.Second

// policyCache caches the policy in force for policyCacheTime, so that not every submission reads it.
type policyCache struct {
	policies publishedPolicies

	mu      sync.Mutex
	until   time.Time
	version int64
	policy  *policy.Policy
}

func (c *policyCache) get(ctx context.Context) (int64, *policy.Policy, error) {
	c.mu.Lock()
	version, p, stale := c.version, c.policy, time.Now().After(c.until)
	c.mu.Unlock()
	if !stale {
		return version, p, nil
	}
	version, p, _, err := c.policies.PolicyInForce(ctx)
	if err != nil {
		return 0, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version, c.policy, c.until = version, p, time.Now().Add(policyCacheTime)
	return version, p, nil
}

// CodeUnchanged is the code of a Conflict: the document to publish equals the newest version.
const CodeUnchanged = "unchanged"

// publishStore stores published policies.
type publishStore interface {
	// PublishTx runs fn in a transaction that excludes other publications, and commits it if fn returns nil.
	PublishTx(ctx context.Context, fn func(PublishTx) error) error
}

// PublishTx is the transaction of one publication.
type PublishTx interface {
	// PublishedBefore returns what an author published with a key and the fingerprint of that request, and false if there
	// is nothing.
	PublishedBefore(ctx context.Context, author, key string) (p desk.Published, fingerprint []byte, found bool, err error)
	NewestPolicy(context.Context) (NewestPolicy, error)
	AddPolicy(context.Context, desk.Publication, desk.Published) error
}

// NewestPolicy is the version that was published last, and the store's clock. Before the first publication only Clock is set.
type NewestPolicy struct {
	Version   int64
	Document  []byte
	Effective time.Time
	Clock     time.Time
}

// PublishPolicy publishes a document for tickets accepted from now on. The author is the name of a program. If the document
// equals the newest version, PublishPolicy returns that version and false. If it is not valid, it returns an Invalid fault
// whose cause is policy.Problems.
func PublishPolicy(ctx context.Context, s publishStore, document []byte, author, reason string) (version int64, published bool, err error) {
	p, err := Publish(ctx, s, desk.Publication{Document: document, Author: author, Reason: reason})
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == CodeUnchanged {
		return p.Version, false, nil
	}
	return p.Version, err == nil, err
}

// Publish publishes a document as the next version. It returns an Invalid fault for a document that is not valid, whose
// cause is policy.Problems, and for an effective date that is in the past, before that of the previous version or, for the
// first version, in the future. If the document equals the newest version, it returns that version and a Conflict with
// CodeUnchanged. If the idempotency key was used with another request, it returns desk.ErrKeyReused. Publish checks no
// permission; see Policies.Publish.
func Publish(ctx context.Context, s publishStore, p desk.Publication) (published desk.Published, err error) {
	if _, err := policy.Parse(p.Document); err != nil {
		return desk.Published{}, fault.Wrap(err, fault.Invalid, "the policy is not valid")
	}
	err = s.PublishTx(ctx, func(tx PublishTx) error {
		if p.IdempotencyKey.Key != "" {
			before, first, found, err := tx.PublishedBefore(ctx, p.Author, p.IdempotencyKey.Key)
			if err == nil && found {
				published, err = before, p.IdempotencyKey.Repeats(first)
				published.Again = true
			}
			if err != nil || found {
				return err
			}
		}
		newest, err := tx.NewestPolicy(ctx)
		if err != nil {
			return err
		}
		if published, err = nextVersion(newest, p); err != nil {
			return err
		}
		return tx.AddPolicy(ctx, p, published)
	})
	return published, err
}

// nextVersion returns the number and effective date of the next version. With a CodeUnchanged Conflict it returns those of
// the newest version.
func nextVersion(newest NewestPolicy, p desk.Publication) (desk.Published, error) {
	if bytes.Equal(newest.Document, p.Document) {
		return desk.Published{Version: newest.Version, Effective: newest.Effective},
			fault.NewConflict(CodeUnchanged, "version %d has the same content", newest.Version)
	}
	next := desk.Published{Version: newest.Version + 1, At: newest.Clock, Effective: p.Effective.UTC().Truncate(time.Second)}
	now := newest.Clock.UTC().Truncate(time.Second) // a ticket is accepted at a whole second
	if p.Effective.IsZero() {
		next.Effective = now
	}
	switch {
	case next.Effective.Before(now):
		return desk.Published{}, fault.Field("effective_at", "lies in the past")
	case next.Effective.Before(newest.Effective):
		return desk.Published{}, fault.Field("effective_at", "is before version %d takes effect, at %s",
			newest.Version, newest.Effective.UTC().Format(time.RFC3339))
	case newest.Version == 0 && next.Effective.After(now):
		return desk.Published{}, fault.Field("effective_at", "must be now: no targets apply before the first version")
	}
	return next, nil
}
