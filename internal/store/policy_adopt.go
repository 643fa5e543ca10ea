package store

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed policy_adopt.sql
var adoptPolicySQL string

// AdoptPolicy accepts a command to move to a version for each chosen ticket that can be moved, in one transaction. It returns
// desk.ErrKeyReused if the key was used before.
func (s *Store) AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.TicketChoice, key desk.IdempotencyKey) ([]desk.Adopted, error) {
	rows, _ := s.pool.Query(ctx, adoptPolicySQL, pgx.StrictNamedArgs{
		"version": version, "tickets": c.Tickets, "from": c.From, "by": by.ID, "role": by.Role,
		"key": key.Key, "fingerprint": fingerprint(key),
	})
	accepted, err := pgx.CollectRows(rows, pgx.RowToStructByName[desk.Adopted])
	if violates(err, "commands_key") {
		return nil, desk.ErrKeyReused
	}
	if err != nil {
		return nil, explain(err, "move tickets to policy version %d", version)
	}
	for _, m := range accepted {
		s.notifyChange(m.Number, desk.ChangeAccepted)
	}
	return accepted, nil
}

// AdoptedBefore returns the commands that an earlier request with a key led to; same is false for those of another request.
func (s *Store) AdoptedBefore(ctx context.Context, by ticket.PersonID, key desk.IdempotencyKey) ([]app.KeyedCommand, error) {
	rows, _ := s.pool.Query(ctx, `
		SELECT ticket AS number, seq, verb = 'adopt-policy' AND key <> $2
			AND fingerprint = sha256($3::bytea || convert_to(ticket, 'UTF8')) AS same
		FROM commands WHERE by_person = $1 AND (key = $2 OR starts_with(key, $2 || ' ')) ORDER BY ticket`, by, key.Key, key.Fingerprint)
	before, err := pgx.CollectRows(rows, pgx.RowToStructByName[app.KeyedCommand])
	return before, explain(err, "look up an idempotency key")
}

// chosenPage is how many tickets Chosen reads at once.
const chosenPage = 500

// Chosen calls each with the chosen tickets that can be moved to a version, in the order of their numbers, until it
// fails.
func (s *Store) Chosen(ctx context.Context, version int64, c desk.TicketChoice, each func(desk.Record) error) error {
	for after := ticket.Number(""); ; {
		rows, _ := s.pool.Query(ctx, recordSQL+`t.status <> 'closed' AND t.policy <> $1 AND (t.number = ANY ($2::text[]) OR t.policy = $3)
			AND t.number > $4 ORDER BY t.number LIMIT $5`, version, c.Tickets, c.From, after, chosenPage)
		records, err := collectRecords[recordRow](rows)
		if err != nil {
			return explain(err, "read the tickets to be moved")
		}
		for _, r := range records {
			after = r.Number
			if err := each(r); err != nil {
				return err
			}
		}
		if len(records) < chosenPage {
			return nil
		}
	}
}

// TicketPolicies returns the status and the pinned policy version of those of some tickets that exist.
func (s *Store) TicketPolicies(ctx context.Context, some []ticket.Number) (map[ticket.Number]app.TicketPolicy, error) {
	rows, _ := s.pool.Query(ctx, `SELECT number, status, policy FROM tickets WHERE number = ANY ($1::text[])`, some)
	found := map[ticket.Number]app.TicketPolicy{}
	var n ticket.Number
	var p app.TicketPolicy
	_, err := pgx.ForEachRow(rows, []any{&n, &p.Status, &p.Version}, func() error {
		found[n] = p
		return nil
	})
	return found, explain(err, "read the policies of tickets")
}

// Adoptions counts the moves to a version by outcome and returns the latest, up to limit. By is empty for manual
// commands.
func (s *Store) Adoptions(ctx context.Context, version int64, limit int) (desk.AdoptionAudit, error) {
	var audit desk.AdoptionAudit
	err := s.pool.QueryRow(ctx, `
		SELECT count(*) FILTER (WHERE NOT o.refused), count(*) FILTER (WHERE o.refused), count(*) FILTER (WHERE o.refused IS NULL)
		FROM commands c LEFT JOIN outcomes o USING (ticket, seq) WHERE c.verb = 'adopt-policy' AND c.policy = $1`, version).
		Scan(&audit.Granted, &audit.Refused, &audit.Undecided)
	if err != nil {
		return audit, explain(err, "count the moves to policy version %d", version)
	}
	rows, err := s.pool.Query(ctx, `
		SELECT c.ticket AS number, c.accepted_at AS at, coalesce(p.name, '') AS by,
			coalesce((SELECT (e.data->>'was')::bigint FROM events e
				WHERE e.ticket = c.ticket AND e.kind = 'policy-adopted' AND (e.data->>'command')::bigint = c.seq), 0) AS "from",
			o.refused IS NOT NULL AS decided, coalesce(o.code, '') AS code, coalesce(o.reason, '') AS reason
		FROM commands c LEFT JOIN people p ON p.id = c.by_person LEFT JOIN outcomes o USING (ticket, seq)
		WHERE c.verb = 'adopt-policy' AND c.policy = $1 ORDER BY c.accepted_at DESC, c.ticket LIMIT $2`, version, limit)
	if err == nil {
		audit.Latest, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.AdoptionLine])
	}
	return audit, explain(err, "list the moves to policy version %d", version)
}
