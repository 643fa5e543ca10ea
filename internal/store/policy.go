package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Policy returns a published policy version. It is read and parsed once. It returns NotFound if there is none.
func (s *Store) Policy(ctx context.Context, version int64) (*policy.Policy, error) {
	return s.policy(ctx, s.pool, version)
}

// policy reads through q, so that a step that holds a connection need not wait for a second one.
func (s *Store) policy(ctx context.Context, q querier, version int64) (*policy.Policy, error) {
	if known, ok := s.policies.Load(version); ok {
		return known.(*policy.Policy), nil
	}
	var document []byte
	err := q.QueryRow(ctx, `SELECT document FROM policies WHERE version = $1`, version).Scan(&document)
	if err != nil {
		return nil, explain(missing(err, fault.New(fault.NotFound, "there is no policy version %d", version)), "read policy version %d", version)
	}
	return s.parsePolicy(version, document)
}

// parsePolicy parses a published document and caches the result. A document that can't be parsed was published by a
// newer program.
func (s *Store) parsePolicy(version int64, document []byte) (*policy.Policy, error) {
	if known, ok := s.policies.Load(version); ok {
		return known.(*policy.Policy), nil
	}
	parsed, err := policy.Parse(document)
	if err != nil {
		return nil, fault.Wrap(err, fault.Internal, "policy version %d can't be read by this program", version)
	}
	known, _ := s.policies.LoadOrStore(version, parsed)
	return known.(*policy.Policy), nil
}

// ErrNoPolicy is returned while no policy has taken effect, so that tickets have no targets yet.
var ErrNoPolicy error = fault.New(fault.Unavailable, "no policy has been published yet")

// PolicyInForce returns the number of the highest policy version that has taken effect, the policy, and the document as
// it was published. It returns ErrNoPolicy if there is none.
func (s *Store) PolicyInForce(ctx context.Context) (int64, *policy.Policy, []byte, error) {
	var version int64
	var document []byte
	err := s.pool.QueryRow(ctx, `
		SELECT version, document FROM policies WHERE effective_at <= clock_timestamp() ORDER BY version DESC LIMIT 1`).
		Scan(&version, &document)
	if err != nil {
		return 0, nil, nil, explain(missing(err, ErrNoPolicy), "read the policy in force")
	}
	p, err := s.parsePolicy(version, document)
	return version, p, document, err
}

type policyVersionRow struct {
	Version     int64
	Document    []byte
	Role        ticket.Role
	Reason      string
	EffectiveAt time.Time
	PublishedAt time.Time
}

// policyVersionSQL selects from policies p what policyVersionRow holds. An author at the command line is no person of
// the desk.
const policyVersionSQL = `
	SELECT p.version, p.document, coalesce(a.role, '` + string(ticket.RoleOperator) + `') AS role, p.reason, p.effective_at, p.published_at
	FROM policies p LEFT JOIN people a ON a.id = p.author `

// Policies returns all published versions, newest first. Authors appear by their role only, since customers read it.
func (s *Store) Policies(ctx context.Context) ([]desk.PolicyVersion, error) {
	rows, _ := s.pool.Query(ctx, policyVersionSQL+`ORDER BY p.version DESC`)
	versions, err := s.policyVersions(rows)
	return versions, explain(err, "list the policies")
}

// PolicyVersionRecords returns all published versions with the names of their authors and the number of open tickets
// that have them pinned, newest first. They are for supervisors.
func (s *Store) PolicyVersionRecords(ctx context.Context) ([]desk.PolicyVersionRecord, error) {
	versions, err := s.Policies(ctx)
	if err != nil {
		return nil, err
	}
	rows, _ := s.pool.Query(ctx, `
		SELECT p.version, coalesce(a.name, p.author), coalesce(t.open, 0)
		FROM policies p LEFT JOIN people a ON a.id = p.author
			LEFT JOIN (SELECT policy, count(*) AS open FROM tickets WHERE status <> 'closed' GROUP BY policy) t ON t.policy = p.version`)
	known := map[int64]desk.PolicyVersionRecord{}
	var r desk.PolicyVersionRecord
	if _, err := pgx.ForEachRow(rows, []any{&r.Version, &r.Publisher, &r.Tickets}, func() error {
		known[r.Version] = r
		return nil
	}); err != nil {
		return nil, explain(err, "list the policies")
	}
	records := make([]desk.PolicyVersionRecord, len(versions))
	for i, e := range versions {
		records[i] = known[e.Version]
		records[i].PolicyVersion = e
	}
	return records, nil
}

// PolicyVersion returns a published version. It returns NotFound if there is none.
func (s *Store) PolicyVersion(ctx context.Context, version int64) (desk.PolicyVersion, error) {
	rows, _ := s.pool.Query(ctx, policyVersionSQL+`WHERE p.version = $1`, version)
	versions, err := s.policyVersions(rows)
	if err != nil {
		return desk.PolicyVersion{}, explain(err, "read policy version %d", version)
	}
	if len(versions) == 0 {
		return desk.PolicyVersion{}, fault.New(fault.NotFound, "there is no policy version %d", version)
	}
	return versions[0], nil
}

func (s *Store) policyVersions(rows pgx.Rows) ([]desk.PolicyVersion, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[policyVersionRow])
	if err != nil {
		return nil, err
	}
	versions := make([]desk.PolicyVersion, 0, len(found))
	for _, row := range found {
		p, err := s.parsePolicy(row.Version, row.Document)
		if err != nil {
			return nil, err
		}
		versions = append(versions, desk.PolicyVersion{
			Version: row.Version, Author: row.Role, Reason: row.Reason, Effective: row.EffectiveAt,
			Published: row.PublishedAt, Policy: p, Document: row.Document,
		})
	}
	return versions, nil
}

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
