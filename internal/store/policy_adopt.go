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

// AdoptPolicy accepts the command for every ticket of a choice that can be moved, in one transaction. Asked again under
// the same key it gives the first answer. It is NotFound for a version that isn't there, and a Conflict when the key was
// used for something else.
func (s *Store) AdoptPolicy(ctx context.Context, by desk.Person, version int64, c desk.TicketChoice, once desk.IdempotencyKey) (desk.Adoption, error) {
	if _, err := s.Policy(ctx, version); err != nil {
		return desk.Adoption{}, err
	}
	before, err := s.adopted(ctx, by, once)
	if err != nil || before.Again {
		return before, err
	}
	rows, err := s.pool.Query(ctx, adoptPolicySQL, pgx.StrictNamedArgs{
		"version": version, "tickets": c.Tickets, "from": c.From, "by": by.ID, "role": by.Role,
		"key": once.Key, "fingerprint": fingerprint(once),
	})
	var accepted []desk.Adopted
	if err == nil {
		accepted, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.Adopted])
	}
	if violates(err, "commands_key") { // the same request came twice at once
		return s.adopted(ctx, by, once)
	}
	if err != nil {
		return desk.Adoption{}, explain(err, "move tickets to policy version %d", version)
	}
	for _, m := range accepted {
		s.announce(ctx, m.Number, desk.ChangeAccepted)
	}
	return desk.Adoption{Accepted: accepted}, nil
}

// adopted gives what was accepted before under a key.
func (s *Store) adopted(ctx context.Context, by desk.Person, once desk.IdempotencyKey) (desk.Adoption, error) {
	var before desk.Adoption
	if once.Key == "" {
		return before, nil
	}
	rows, err := s.pool.Query(ctx, `
		SELECT ticket AS number, seq FROM commands WHERE by_person = $1 AND verb = 'adopt-policy' AND starts_with(key, $2 || ' ')
			AND fingerprint = sha256($3::bytea || convert_to(ticket, 'UTF8')) ORDER BY ticket`, by.ID, once.Key, once.Fingerprint)
	if err == nil {
		before.Accepted, err = pgx.CollectRows(rows, pgx.RowToStructByName[desk.Adopted])
	}
	if before.Again = len(before.Accepted) > 0; err != nil || before.Again {
		return before, explain(err, "look up an idempotency key")
	}
	var used bool
	err = s.pool.QueryRow(ctx, `SELECT EXISTS (SELECT FROM commands WHERE by_person = $1 AND (key = $2 OR starts_with(key, $2 || ' ')))`,
		by.ID, once.Key).Scan(&used)
	if err == nil && used {
		err = desk.ErrKeyReused
	}
	return before, explain(err, "look up an idempotency key")
}

// chosenPage is how many tickets of a choice are read at once.
const chosenPage = 500

// Chosen gives the tickets of a choice that can be moved to a version, one by one, in the order of their numbers.
func (s *Store) Chosen(ctx context.Context, version int64, c desk.TicketChoice, each func(desk.Record) error) error {
	for after := ticket.Number(""); ; {
		rows, err := s.pool.Query(ctx, recordSQL+`t.status <> 'closed' AND t.policy <> $1 AND (t.number = ANY ($2::text[]) OR t.policy = $3)
			AND t.number > $4 ORDER BY t.number LIMIT $5`, version, c.Tickets, c.From, after, chosenPage)
		if err != nil {
			return explain(err, "read the tickets to be moved")
		}
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

// TicketPolicies returns the status and the policy of those of some tickets that exist.
func (s *Store) TicketPolicies(ctx context.Context, some []ticket.Number) (map[ticket.Number]app.TicketPolicy, error) {
	rows, err := s.pool.Query(ctx, `SELECT number, status, policy FROM tickets WHERE number = ANY ($1::text[])`, some)
	if err != nil {
		return nil, explain(err, "read the policies of tickets")
	}
	found := map[ticket.Number]app.TicketPolicy{}
	var n ticket.Number
	var p app.TicketPolicy
	_, err = pgx.ForEachRow(rows, []any{&n, &p.Status, &p.Version}, func() error {
		found[n] = p
		return nil
	})
	return found, explain(err, "read the policies of tickets")
}

// Adoptions returns what became of the moves to a version, and the latest of them. A move by hand names no one.
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
