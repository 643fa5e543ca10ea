package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// RequestLink adds a link for the person with an address and the mail that carries it, to the address as it is stored: what
// was typed may be another one that differs in case only by PostgreSQL's rules. For an unknown address it writes the
// same rows, a link without a person and a mail that is settled, so that neither the time taken nor the number of rows
// tells the two cases apart.
func (a *Accounts) RequestLink(ctx context.Context, id string, p account.Purpose, address string, lasts time.Duration) error {
	return a.addLink(ctx, "make a link", account.Event{Kind: account.EventLinkRequested, Detail: string(p)}, `
		WITH whom AS (
			SELECT p.id, p.name, a.address FROM person_addresses a JOIN people p ON p.id = a.person
			WHERE lower(a.address) = lower(@address) AND p.disabled_at IS NULL
		), made AS (
			INSERT INTO links (id, purpose, person, expires_at)
			VALUES (@id, @purpose, (SELECT id FROM whom), clock_timestamp() + @lasts)
		), owed AS (
			INSERT INTO deliveries (queue, kind, name, address, link, expires_at, status, settled_at, reason, trace)
			SELECT 'account', @purpose, coalesce(w.name, ''), coalesce(w.address, ''), @id, clock_timestamp() + @lasts, CASE WHEN w.id IS NULL THEN 'superseded' ELSE 'owed' END,
				CASE WHEN w.id IS NULL THEN clock_timestamp() END, CASE WHEN w.id IS NULL THEN 'no account with that address' END, nullif(@trace, '')
			FROM (VALUES (1)) always LEFT JOIN whom w ON true
		)
		SELECT coalesce((SELECT id FROM whom), ''), pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"id": id, "purpose": p, "address": address, "lasts": lasts})
}

// addLink runs a statement that adds a link and records e in one transaction. The statement returns the person
// concerned, who becomes the person of the event if it has none. @trace of the statement is that of ctx.
func (a *Accounts) addLink(ctx context.Context, doing string, e account.Event, statement string, args pgx.StrictNamedArgs) error {
	args["trace"] = a.traceOf(ctx)
	err := a.within(ctx, func(tx pgx.Tx) error {
		var whom ticket.PersonID
		var notified any
		if err := tx.QueryRow(ctx, statement, args).Scan(&whom, &notified); err != nil {
			return err
		}
		if e.Person == "" {
			e.Person = whom
		}
		return record(ctx, tx, e)
	})
	return explain(err, "%s", doing)
}

// Register adds a link that creates an account, or lets a contact claim theirs, and the mail that carries it. If the address
// belongs to an account already, it adds a mail to its owner instead. Its error is Invalid on "address".
func (a *Accounts) Register(ctx context.Context, id, name, address string, lasts time.Duration) error {
	if err := a.checkAddress("address", address); err != nil {
		return err
	}
	return a.addLink(ctx, "make a registration", account.Event{Kind: account.EventRegistrationRequested}, `
		WITH whom AS (
			SELECT p.id, p.name, a.address, p.disabled_at FROM person_addresses a JOIN people p ON p.id = a.person
			WHERE lower(a.address) = lower(@address) AND (p.claimed_at IS NOT NULL OR p.disabled_at IS NOT NULL)
		), made AS (
			INSERT INTO links (id, purpose, role, name, address, expires_at)
			VALUES (@id, 'verify', 'customer', @name, @address, clock_timestamp() + @lasts)
		), owed AS (
			INSERT INTO deliveries (queue, kind, name, address, link, expires_at, status, settled_at, reason, trace)
			SELECT 'account', CASE WHEN w.address IS NULL THEN 'verify' ELSE 'already-registered' END,
				coalesce(w.name, ''), coalesce(w.address, @address), CASE WHEN w.address IS NULL THEN @id END,
				clock_timestamp() + @lasts, CASE WHEN w.disabled_at IS NULL THEN 'owed' ELSE 'bounced' END, w.disabled_at, CASE WHEN w.disabled_at IS NOT NULL THEN 'the account with that address is disabled' END,
				nullif(@trace, '')
			FROM (VALUES (1)) always LEFT JOIN whom w ON true
		)
		SELECT coalesce((SELECT id FROM whom), ''), pg_notify('deliveries', '')`,
		pgx.StrictNamedArgs{"id": id, "name": name, "address": address, "lasts": lasts})
}

// Invite adds an invitation and its mail. It replaces earlier invitations to the same address. An address or a handle
// that is taken is a Conflict, and an address of the desk Invalid.
func (a *Accounts) Invite(ctx context.Context, id string, by ticket.PersonID, p desk.Person, lasts time.Duration) error {
	if err := a.checkAddress("address", p.Address); err != nil {
		return err
	}
	err := a.asAdministrator(ctx, by, func(tx pgx.Tx) error {
		var address, handle bool
		err := tx.QueryRow(ctx, `SELECT `+ownerOf("$1")+` IS NOT NULL,
			EXISTS (SELECT FROM people WHERE lower(handle) = lower($2))`, p.Address, p.Handle).Scan(&address, &handle)
		switch {
		case err != nil:
			return err
		case address:
			return errAddressTaken
		case handle:
			return errHandleTaken
		}
		if _, err := tx.Exec(ctx, `UPDATE links SET expires_at = least(expires_at, clock_timestamp())
			WHERE purpose = 'invitation' AND used_at IS NULL AND lower(address) = lower($1)`, p.Address); err != nil {
			return err
		}
		args := pgx.StrictNamedArgs{"id": id, "role": p.Role, "name": p.Name, "address": p.Address, "handle": p.Handle,
			"by": by, "lasts": lasts}
		if _, err := tx.Exec(ctx, `
			INSERT INTO links (id, purpose, role, name, address, handle, invited_by, expires_at)
			VALUES (@id, 'invitation', @role, @name, @address, nullif(@handle, ''), @by, clock_timestamp() + @lasts)`, args); err != nil {
			return err
		}
		if _, err = tx.Exec(ctx, `
			WITH owed AS (
				INSERT INTO deliveries (queue, kind, name, address, link, expires_at, trace)
				VALUES ('account', 'invitation', @name, @address, @id, clock_timestamp() + @lasts, nullif(@trace, ''))
			)
			SELECT pg_notify('deliveries', '')`,
			pgx.StrictNamedArgs{"name": p.Name, "address": p.Address, "id": id, "lasts": lasts, "trace": a.traceOf(ctx)}); err != nil {
			return err
		}
		return record(ctx, tx, account.Event{Kind: account.EventInvited, Actor: by, Detail: p.Address + " as " + string(p.Role)})
	})
	return explain(err, "invite a person")
}

// Invitations returns the open invitations, at most 200, newest first.
func (a *Accounts) Invitations(ctx context.Context) ([]account.PendingInvitation, error) {
	rows, _ := a.pool.Query(ctx, `
		SELECT l.id, l.role, l.name, l.address, coalesce(l.handle, ''), p.name, l.made_at, l.expires_at
		FROM links l JOIN people p ON p.id = l.invited_by
		WHERE l.purpose = 'invitation' AND l.used_at IS NULL AND l.expires_at > clock_timestamp()
		ORDER BY l.made_at DESC LIMIT 200`)
	list, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (i account.PendingInvitation, err error) {
		err = row.Scan(&i.LinkID, &i.Person.Role, &i.Person.Name, &i.Person.Address, &i.Person.Handle, &i.By, &i.CreatedAt, &i.Until)
		return i, err
	})
	return list, explain(err, "list the invitations")
}

// CancelInvitation withdraws an open invitation. It returns NotFound for one that is not open.
func (a *Accounts) CancelInvitation(ctx context.Context, by ticket.PersonID, linkID string) error {
	err := a.asAdministrator(ctx, by, func(tx pgx.Tx) error {
		var invited string
		err := tx.QueryRow(ctx, `UPDATE links SET expires_at = clock_timestamp()
			WHERE id = $1 AND purpose = 'invitation' AND used_at IS NULL AND expires_at > clock_timestamp()
			RETURNING address || ' as ' || role`, linkID).Scan(&invited)
		if err != nil {
			return missing(err, fault.New(fault.NotFound, "that invitation is no longer open"))
		}
		return record(ctx, tx, account.Event{Kind: account.EventInvitationWithdrawn, Actor: by, Detail: invited})
	})
	return explain(err, "call an invitation off")
}
