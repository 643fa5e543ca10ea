package desk

import (
	"context"
	"errors"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MaxReason is how long the reason of a publication may be, in characters.
const MaxReason = 500

// shelf is where published versions are kept, and the tickets that are under them.
type shelf interface {
	policies
	EditionRecords(context.Context) ([]EditionRecord, error)
	Edition(context.Context, int64) (Edition, error)
	Publish(context.Context, Publication) (Published, error)
	// Chosen gives the tickets of a choice that can be moved to a version, one by one, in the order of their numbers.
	Chosen(ctx context.Context, version int64, c Choice, each func(Record) error) error
	Unmovable(ctx context.Context, version int64, c Choice) ([]Unmoved, error)
	AdoptPolicy(ctx context.Context, by Person, version int64, c Choice, once Once) (Adoption, error)
	Adoptions(ctx context.Context, version int64, limit int) (AdoptionAudit, error)
}

// Policies is how supervisors change the policy, and which one open tickets are under. Who may is the caller's to
// check for reading, and its own for changes.
type Policies struct {
	shelf   shelf
	courier courier
}

// NewPolicies makes it on the store and the courier that delivers what it accepts.
func NewPolicies(s shelf, c courier) *Policies { return &Policies{shelf: s, courier: c} }

// Check says what is wrong with a publication's reason and effective date, as far as that can be told without the
// database. The document is checked by policy.Parse.
func (p Publication) Check() error {
	var details []fault.Detail
	switch reason := strings.TrimSpace(p.Reason); {
	case !Visible(reason):
		details = append(details, fault.Detail{Field: "reason", Message: "must say why the policy changes: customers read it"})
	case utf8.RuneCountInString(reason) > MaxReason:
		details = append(details, fault.Detail{Field: "reason", Message: "is longer than 500 characters"})
	case strings.ContainsFunc(strings.NewReplacer("\r\n", "", "\n", "", "\t", "").Replace(reason), unspeakable) || !utf8.ValidString(reason):
		details = append(details, fault.Detail{Field: "reason", Message: "must be plain text, and all of it visible"})
	}
	if !p.Effective.IsZero() && p.Effective.Year() > 9999 {
		details = append(details, fault.Detail{Field: "effective_at", Message: "lies too far ahead"})
	}
	if len(details) > 0 {
		return fault.Fields(details...)
	}
	return nil
}

// Editions gives every published version, the newest first.
func (d *Policies) Editions(ctx context.Context) ([]EditionRecord, error) {
	return d.shelf.EditionRecords(ctx)
}

// Edition gives one published version, or NotFound.
func (d *Policies) Edition(ctx context.Context, version int64) (Edition, error) {
	return d.shelf.Edition(ctx, version)
}

// Publish publishes the next version. It is Forbidden to all but supervisors and administrators, and Invalid with
// everything at fault.
func (d *Policies) Publish(ctx context.Context, by Person, p Publication) (Published, error) {
	if !by.Role.Commands() {
		return Published{}, fault.New(fault.Forbidden, "only supervisors publish policies")
	}
	if err := p.Check(); err != nil {
		return Published{}, err
	}
	if _, err := policy.Parse(p.Document); err != nil {
		return Published{}, err
	}
	p.Author, p.Reason = string(by.ID), strings.TrimSpace(p.Reason)
	return d.shelf.Publish(ctx, p)
}

// Draft is what there is to say about a document that may be published.
type Draft struct {
	Problems    policy.Problems // what is wrong with it; then there is nothing else
	Advice      []string
	Examples    []ExamplePair
	Differences []policy.Difference // to the policy in force
	InForce     int64
}

// ExamplePair is a worked example by a draft, and by the policy in force.
type ExamplePair struct {
	policy.Example
	Today policy.Promises // zero where that policy has no such example
}

// Examine says what a document would mean, beside the policy in force.
func (d *Policies) Examine(ctx context.Context, document []byte, now time.Time) (Draft, error) {
	version, today, _, err := d.shelf.PolicyInForce(ctx)
	if err != nil {
		return Draft{}, err
	}
	draft := Draft{InForce: version}
	p, err := policy.Parse(document)
	if problems, ok := errors.AsType[policy.Problems](err); ok {
		draft.Problems = problems
		return draft, nil
	}
	if err != nil {
		return Draft{}, err
	}
	draft.Advice, draft.Differences = p.Lint(), p.Differences(today)
	for _, e := range p.Examples(now) {
		pair := ExamplePair{Example: e}
		if !e.At.IsZero() {
			pair.Today, _ = today.Promise(e.At, policy.PriorityNormal) // ErrNeverOpens leaves it out
		}
		draft.Examples = append(draft.Examples, pair)
	}
	return draft, nil
}

// Adopt moves the open tickets of a choice to a published version: their commands are accepted at once and delivered
// as others are. It is Forbidden to all but supervisors and administrators, and NotFound for a version that isn't there.
func (d *Policies) Adopt(ctx context.Context, by Person, version int64, c Choice, once Once) (Adoption, error) {
	if !ticket.MayAsk(by.Role, ticket.VerbAdoptPolicy) {
		return Adoption{}, fault.New(fault.Forbidden, "only supervisors move tickets to another policy")
	}
	if err := c.check(version); err != nil {
		return Adoption{}, err
	}
	adoption, err := d.shelf.AdoptPolicy(ctx, by, version, c, once)
	if err != nil {
		return Adoption{}, err
	}
	d.courier.Wake()
	if !adoption.Again {
		adoption.Unmoved, err = d.shelf.Unmovable(ctx, version, c.but(adoption.Accepted))
	}
	return adoption, err
}

// Audit tells who moved which tickets to a version, the latest first.
func (d *Policies) Audit(ctx context.Context, version int64) (AdoptionAudit, error) {
	return d.shelf.Adoptions(ctx, version, mostAudited)
}

// mostAudited is how many moves an audit lists.
const mostAudited = 100
