package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

type editionRow struct {
	Version     int64
	Document    []byte
	Role        ticket.Role
	Reason      string
	EffectiveAt time.Time
	PublishedAt time.Time
}

// editionSQL reads policies p. Who published one from the command line is nobody the desk knows.
const editionSQL = `
	SELECT p.version, p.document, coalesce(a.role, '` + string(ticket.RoleOperator) + `') AS role, p.reason, p.effective_at, p.published_at
	FROM policies p LEFT JOIN people a ON a.id = p.author `

// Policies gives every published version, the newest first. Who published one is told by their role only: customers
// read it.
func (s *Store) Policies(ctx context.Context) ([]desk.Edition, error) {
	rows, err := s.pool.Query(ctx, editionSQL+`ORDER BY p.version DESC`)
	if err != nil {
		return nil, explain(err, "list the policies")
	}
	editions, err := s.editions(rows)
	return editions, explain(err, "list the policies")
}

// EditionRecords gives every published version as supervisors see it, the newest first.
func (s *Store) EditionRecords(ctx context.Context) ([]desk.EditionRecord, error) {
	editions, err := s.Policies(ctx)
	if err != nil {
		return nil, err
	}
	rows, err := s.pool.Query(ctx, `
		SELECT p.version, coalesce(a.name, p.author), coalesce(t.open, 0)
		FROM policies p LEFT JOIN people a ON a.id = p.author
			LEFT JOIN (SELECT policy, count(*) AS open FROM tickets WHERE status <> 'closed' GROUP BY policy) t ON t.policy = p.version`)
	if err != nil {
		return nil, explain(err, "list the policies")
	}
	known := map[int64]desk.EditionRecord{}
	var r desk.EditionRecord
	if _, err := pgx.ForEachRow(rows, []any{&r.Version, &r.Publisher, &r.Tickets}, func() error {
		known[r.Version] = r
		return nil
	}); err != nil {
		return nil, explain(err, "list the policies")
	}
	records := make([]desk.EditionRecord, len(editions))
	for i, e := range editions {
		records[i] = known[e.Version]
		records[i].Edition = e
	}
	return records, nil
}

// Edition gives one published version, or NotFound.
func (s *Store) Edition(ctx context.Context, version int64) (desk.Edition, error) {
	rows, err := s.pool.Query(ctx, editionSQL+`WHERE p.version = $1`, version)
	if err != nil {
		return desk.Edition{}, explain(err, "read policy version %d", version)
	}
	editions, err := s.editions(rows)
	if err != nil {
		return desk.Edition{}, explain(err, "read policy version %d", version)
	}
	if len(editions) == 0 {
		return desk.Edition{}, fault.New(fault.NotFound, "there is no policy version %d", version)
	}
	return editions[0], nil
}

func (s *Store) editions(rows pgx.Rows) ([]desk.Edition, error) {
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[editionRow])
	if err != nil {
		return nil, err
	}
	editions := make([]desk.Edition, 0, len(found))
	for _, row := range found {
		p, err := s.keep(row.Version, row.Document)
		if err != nil {
			return nil, err
		}
		editions = append(editions, desk.Edition{
			Version: row.Version, Author: row.Role, Reason: row.Reason, Effective: row.EffectiveAt,
			Published: row.PublishedAt, Policy: p, Document: row.Document,
		})
	}
	return editions, nil
}
