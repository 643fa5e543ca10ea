package store

import (
	"context"
	_ "embed"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/account"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

//go:embed merge.sql
var mergeSQL string

// knownAs returns the expression for the ID as which a person is known by now: that of the account into which a contact was
// merged, and their own for everyone else. id is an expression.
func knownAs(id string) string {
	return `(SELECT coalesce(known.merged_into, known.id) FROM people known WHERE known.id = ` + id + `)`
}

// merge makes what is a contact's that of an account: addresses, tickets, files and emails. Tickets follow by commands, which are
// accepted here. The caller has locked both people. address is the contact's that was confirmed. It returns the numbers of the tickets.
func merge(ctx context.Context, tx pgx.Tx, contact, into ticket.PersonID, address string) ([]ticket.Number, error) {
	batch := &pgx.Batch{}
	args := pgx.StrictNamedArgs{"contact": contact, "person": into}
	for _, statement := range []string{
		`UPDATE person_addresses SET person = @person, main = false WHERE person = @contact`,
		`UPDATE people SET merged_into = @person, disabled_at = coalesce(disabled_at, clock_timestamp()) WHERE id = @contact OR merged_into = @contact`,
		`UPDATE files SET uploaded_by = @person WHERE uploaded_by = @contact`,
	} {
		batch.Queue(statement, args)
	}
	if err := tx.SendBatch(ctx, batch).Close(); err != nil {
		return nil, err
	}
	numbers, err := acceptMerges(ctx, tx, into)
	if err != nil {
		return nil, err
	}
	// After the locks of the tickets, as a step does. Bounces name the address to which an email went.
	_, err = tx.Exec(ctx, `
		UPDATE deliveries d SET person = @person, address = CASE WHEN d.queue = 'ticket' AND d.status <> 'owed' THEN coalesce(d.address, p.address) ELSE d.address END
		FROM people p WHERE d.person = @contact AND p.id = @contact AND NOT EXISTS (SELECT FROM deliveries other
			WHERE other.person = @person AND (other.ticket = d.ticket AND other.event = d.event OR other.announcement = d.announcement))`, args)
	if err != nil {
		return nil, err
	}
	return numbers, record(ctx, tx, account.Event{
		Kind: account.EventContactMerged, Person: into, Actor: into, Detail: string(contact) + ", " + address,
	})
}

func acceptMerges(ctx context.Context, q querier, into ticket.PersonID) ([]ticket.Number, error) {
	rows, _ := q.Query(ctx, mergeSQL, pgx.StrictNamedArgs{"person": into})
	return pgx.CollectRows(rows, pgx.RowTo[ticket.Number])
}

// MergeTickets accepts the commands that are still due for contacts who were merged: for tickets that were submitted for them, or
// to which they were added, while they were being merged. It reports how many.
func (s *Store) MergeTickets(ctx context.Context) (int, error) {
	numbers, err := acceptMerges(ctx, s.pool, "")
	s.notifyAccepted(numbers)
	return len(numbers), explain(err, "merge what was late")
}

func (s *Store) notifyAccepted(numbers []ticket.Number) {
	for _, n := range numbers {
		s.notifyChange(n, desk.ChangeAccepted)
	}
}
