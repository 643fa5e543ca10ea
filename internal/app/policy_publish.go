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
