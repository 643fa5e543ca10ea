package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// PublishTx runs fn in a transaction that is committed if fn returns nil. While it runs, no other version is published;
// readers don't wait for it.
func (s *Store) PublishTx(ctx context.Context, fn func(app.PublishTx) error) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `LOCK TABLE policies IN SHARE ROW EXCLUSIVE MODE`); err != nil {
			return err
		}
		return fn(publishTx{tx})
	})
	return explain(err, "publish a policy")
}

type publishTx struct{ tx pgx.Tx }

func (t publishTx) PublishedBefore(ctx context.Context, author, key string) (p desk.Published, fingerprint []byte, published bool, err error) {
	err = t.tx.QueryRow(ctx, `SELECT version, effective_at, published_at, fingerprint FROM policies WHERE author = $1 AND key = $2`,
		author, key).Scan(&p.Version, &p.Effective, &p.At, &fingerprint)
	published, err = found(err)
	return p, fingerprint, published, err
}

func (t publishTx) NewestPolicy(ctx context.Context) (p app.NewestPolicy, err error) {
	err = t.tx.QueryRow(ctx, `
		SELECT coalesce(p.version, 0), p.document, p.effective_at, now.clock
		FROM (SELECT clock_timestamp() AS clock) now
		LEFT JOIN (SELECT version, document, effective_at FROM policies ORDER BY version DESC LIMIT 1) p ON true`).
		Scan(&p.Version, &p.Document, nullable(&p.Effective), &p.Clock)
	return p, err
}

func (t publishTx) AddPolicy(ctx context.Context, p desk.Publication, as desk.Published) error {
	_, err := t.tx.Exec(ctx, `
		INSERT INTO policies (version, document, sha, author, reason, effective_at, published_at, key, fingerprint)
		VALUES (@version, @document, sha256(@document), @author, @reason, @effective, @at, nullif(@key, ''), @fingerprint)`,
		pgx.StrictNamedArgs{
			"version": as.Version, "document": p.Document, "author": p.Author, "reason": p.Reason,
			"effective": as.Effective, "at": as.At, "key": p.IdempotencyKey.Key, "fingerprint": fingerprint(p.IdempotencyKey),
		})
	return err
}
