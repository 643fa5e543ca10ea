package app

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// CodeUnchanged is the code of a Conflict: a document that equals the newest version was to be published.
const CodeUnchanged = "unchanged"

// publishStore is where policies are published.
type publishStore interface {
	// PublishTx runs fn in a transaction beside which no other version is published, and commits it if fn returns nil.
	PublishTx(ctx context.Context, fn func(PublishTx) error) error
}

// PublishTx is the transaction of one publication.
type PublishTx interface {
	// PublishedBefore returns what an author published under a key, with the fingerprint of that request, and false if
	// there is nothing.
	PublishedBefore(ctx context.Context, author, key string) (p desk.Published, fingerprint []byte, found bool, err error)
	NewestPolicy(context.Context) (NewestPolicy, error)
	AddPolicy(context.Context, desk.Publication, desk.Published) error
}

// NewestPolicy is the version that was published last, and the store's clock. Before the first there is only the clock.
type NewestPolicy struct {
	Version   int64
	Document  []byte
	Effective time.Time
	Clock     time.Time
}

// PublishPolicy puts a document in force for tickets accepted from now on, on behalf of an author who is no person of the
// desk. A document that equals the newest version is not published again. One that is not valid is an Invalid fault whose
// cause is policy.Problems.
func PublishPolicy(ctx context.Context, s publishStore, document []byte, author, reason string) (version int64, published bool, err error) {
	p, err := Publish(ctx, s, desk.Publication{Document: document, Author: author, Reason: reason})
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == CodeUnchanged {
		return p.Version, false, nil
	}
	return p.Version, err == nil, err
}

// Publish keeps a document for good, as the next version. It is Invalid when the document is not valid (the cause is
// policy.Problems), or when it is to take effect in the past, before an earlier version or, as the first one, later; a
// Conflict of CodeUnchanged, beside its version, when the document equals the newest one; and a Conflict when the key
// was used for something else. It asks no one's permission; see Policies.Publish.
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

// nextVersion decides the number of a version and when it takes effect. Beside CodeUnchanged it returns the newest one.
func nextVersion(newest NewestPolicy, p desk.Publication) (desk.Published, error) {
	if bytes.Equal(newest.Document, p.Document) {
		return desk.Published{Version: newest.Version, Effective: newest.Effective},
			fault.NewConflict(CodeUnchanged, "version %d says just that", newest.Version)
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
		return desk.Published{}, fault.Field("effective_at", "must be now: without a first version nothing can be promised until then")
	}
	return next, nil
}
