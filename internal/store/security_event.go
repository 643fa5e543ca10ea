package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Security events are kept for eventKept, or for attemptKept if they concern no account and nobody was signed in: there
// can be many such attempts by strangers.
const (
	eventKept     = 365 * 24 * time.Hour
	attemptKept   = 30 * 24 * time.Hour
	eventsCleared = 3 // deleted per new event: more than one, so that they do not accumulate
)

// record adds a security event with the origin that ctx carries, and deletes some that have expired. q is the
// transaction of the recorded action, if there is one.
func record(ctx context.Context, q querier, e account.Event) error {
	kept, origin := eventKept, desk.OriginOf(ctx)
	if e.Person == "" && e.Actor == "" && origin.Source != desk.CommandLine {
		kept = attemptKept
	}
	_, err := q.Exec(ctx, `
		WITH cleared AS (
			DELETE FROM security_events WHERE id IN (
				SELECT id FROM security_events WHERE kept_until <= clock_timestamp() LIMIT @few FOR UPDATE SKIP LOCKED)
		)
		INSERT INTO security_events (kind, person, actor, source, agent, detail, kept_until)
		VALUES (@kind, nullif(@person, ''), nullif(@actor, ''), @source, @agent, @detail, clock_timestamp() + @kept)`,
		pgx.StrictNamedArgs{"kind": e.Kind, "person": e.Person, "actor": e.Actor, "source": origin.Source, "agent": origin.Agent,
			"detail": e.Detail, "kept": kept, "few": eventsCleared})
	return explain(err, "record a security event")
}

// Record adds a security event outside a transaction.
func (a *Accounts) Record(ctx context.Context, e account.Event) error { return record(ctx, a.pool, e) }

// RecordFailure adds a failed sign-in of the person with an address, disabled or not. An unknown address is not stored,
// as it may be a password typed into the wrong field.
func (a *Accounts) RecordFailure(ctx context.Context, address, detail string) error {
	var id ticket.PersonID
	err := a.pool.QueryRow(ctx, `SELECT coalesce(`+ownerOf("$1")+`, '')`, address).Scan(&id)
	if err != nil {
		return explain(err, "record a failed sign-in")
	}
	return record(ctx, a.pool, account.Event{Kind: account.EventSignInFailed, Person: id, Detail: detail})
}

// Events returns a page of security events that match f, newest first. more reports whether there are others after it.
func (a *Accounts) Events(ctx context.Context, f account.EventFilter) (list []account.EventRecord, more bool, err error) {
	rows, _ := a.pool.Query(ctx, `
		WITH whom AS (
			SELECT id FROM people WHERE id = `+ownerOf("@person")+` OR lower(handle) = lower(@person)
			UNION SELECT @person
		)
		SELECT e.id, e.at, e.kind, e.source, e.agent, e.detail,
			coalesce(e.person, ''), coalesce(p.name, ''), coalesce(p.handle, ''), coalesce(p.role, ''),
			coalesce(e.actor, ''), coalesce(b.name, ''), coalesce(b.handle, ''), coalesce(b.role, '')
		FROM security_events e LEFT JOIN people p ON p.id = e.person LEFT JOIN people b ON b.id = e.actor
		WHERE (@kind = '' OR e.kind = @kind) AND (@before::bigint = 0 OR e.id < @before)
			AND (@person = '' OR e.person IN (SELECT id FROM whom) OR e.actor IN (SELECT id FROM whom))
		ORDER BY e.id DESC LIMIT @limit + 1`,
		pgx.StrictNamedArgs{"kind": string(f.Kind), "person": f.Person, "before": f.Before, "limit": f.Limit})
	list, err = pgx.CollectRows(rows, func(row pgx.CollectableRow) (r account.EventRecord, err error) {
		err = row.Scan(&r.ID, &r.At, &r.Kind, &r.Origin.Source, &r.Origin.Agent, &r.Detail,
			&r.Person.ID, &r.Person.Name, &r.Person.Handle, &r.Person.Role, &r.Actor.ID, &r.Actor.Name, &r.Actor.Handle, &r.Actor.Role)
		return r, err
	})
	if err != nil {
		return nil, false, explain(err, "list the security events")
	}
	if more = len(list) > f.Limit; more {
		list = list[:f.Limit]
	}
	return list, more, nil
}
