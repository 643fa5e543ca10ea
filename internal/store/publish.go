package store

import (
	"bytes"
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

// CodeUnchanged is the code of a Conflict: a document that equals the newest version was to be published.
const CodeUnchanged = "unchanged"

// PublishPolicy puts a document in force for tickets accepted from now on. A document that equals the newest one is
// not published again. One that is not valid is an Invalid fault whose cause is policy.Problems.
func (s *Store) PublishPolicy(ctx context.Context, document []byte, author, reason string) (version int64, published bool, err error) {
	p, err := s.Publish(ctx, desk.Publication{Document: document, Author: author, Reason: reason})
	if refused, ok := errors.AsType[*fault.Error](err); ok && refused.Code == CodeUnchanged {
		return p.Version, false, nil
	}
	return p.Version, err == nil, err
}

// Publish keeps a document for good, as the next version. It is Invalid when the document is not valid (the cause is
// policy.Problems), or when it is to take effect in the past, before an earlier version or, as the first one, later; a
// Conflict of CodeUnchanged, beside its version, when the document equals the newest one; and a Conflict when the key
// was used for something else.
func (s *Store) Publish(ctx context.Context, p desk.Publication) (desk.Published, error) {
	if _, err := policy.Parse(p.Document); err != nil {
		return desk.Published{}, fault.Wrap(err, fault.Invalid, "the policy is not valid")
	}
	var published desk.Published
	err := s.within(ctx, func(tx pgx.Tx) (err error) {
		// Writers wait for each other and readers for nobody.
		if _, err := tx.Exec(ctx, `LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		if published, err = publishedBefore(ctx, tx, p); !errors.Is(err, errNew) {
			return err
		}
		published, err = publishNext(ctx, tx, p)
		return err
	})
	return published, explain(err, "publish a policy")
}

// publishedBefore gives the first answer to a publication again; without one it is errNew.
func publishedBefore(ctx context.Context, tx pgx.Tx, p desk.Publication) (desk.Published, error) {
	if p.Once.Key == "" {
		return desk.Published{}, errNew
	}
	before := desk.Published{Again: true}
	var first []byte
	err := tx.QueryRow(ctx, `SELECT version, effective_at, published_at, fingerprint FROM policies WHERE author = $1 AND key = $2`,
		p.Author, p.Once.Key).Scan(&before.Version, &before.Effective, &before.At, &first)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return desk.Published{}, errNew
	case err == nil && !bytes.Equal(first, p.Once.Fingerprint):
		return desk.Published{}, errKeyReused
	}
	return before, err
}

func publishNext(ctx context.Context, tx pgx.Tx, p desk.Publication) (desk.Published, error) {
	var newest desk.Published
	var current []byte
	next := desk.Published{Effective: p.Effective.UTC().Truncate(time.Second)}
	err := tx.QueryRow(ctx, `SELECT version, document, effective_at FROM policies ORDER BY version DESC LIMIT 1`).
		Scan(&newest.Version, &current, &newest.Effective)
	if err != nil && !errors.Is(err, pgx.ErrNoRows) {
		return next, err
	}
	if bytes.Equal(current, p.Document) {
		return desk.Published{Version: newest.Version, Effective: newest.Effective},
			fault.Refusal(CodeUnchanged, "version %d says just that", newest.Version)
	}
	if err := tx.QueryRow(ctx, `SELECT clock_timestamp()`).Scan(&next.At); err != nil {
		return next, err
	}
	now := next.At.UTC().Truncate(time.Second) // a ticket is accepted at a whole second
	if p.Effective.IsZero() {
		next.Effective = now
	}
	switch {
	case next.Effective.Before(now):
		return next, fault.Field("effective_at", "lies in the past")
	case next.Effective.Before(newest.Effective):
		return next, fault.Field("effective_at", "is before version %d takes effect, at %s", newest.Version, newest.Effective.UTC().Format(time.RFC3339))
	case newest.Version == 0 && next.Effective.After(now):
		return next, fault.Field("effective_at", "must be now: without a first version nothing can be promised until then")
	}
	next.Version = newest.Version + 1
	_, err = tx.Exec(ctx, `
		INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at, key, fingerprint)
		VALUES (@version, @document, sha256(@document), @author, @reason, @effective, @at, nullif(@key, ''), @fingerprint)`,
		pgx.StrictNamedArgs{
			"version": next.Version, "document": p.Document, "author": p.Author, "reason": p.Reason,
			"effective": next.Effective, "at": next.At, "key": p.Once.Key, "fingerprint": fingerprint(p.Once),
		})
	return next, err
}
