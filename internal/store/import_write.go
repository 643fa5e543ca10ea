package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
)

// importTable describes how imported tickets are copied to a table.
type importTable struct {
	name    string
	columns []string
	rows    func(app.ImportedTicket) [][]any
}

// Write implements app.ImportTx. It stores each ticket as acceptance leaves it, then its timeline, and finally updates
// its row as its last step leaves it, so that the trigger that guards steps guards imports too.
func (im *importTx) Write(ctx context.Context, tickets []app.ImportedTicket, turns []app.RotationTurn) error {
	tables := []importTable{
		{"tickets", []string{"number", "requester", "policy", "order_number", "follows", "submitted_at", "updated_at", "latest_at", "last_command", "status", "priority", "category"}, ticketRows},
		{"messages", []string{"id", "ticket", "subject", "body", "internal"}, messageRows},
		{"commands", []string{"ticket", "seq", "verb", "by_person", "by_role", "accepted_at", "message", "assignee", "priority", "category"}, commandRows},
		{"outcomes", []string{"ticket", "seq", "refused", "code", "reason", "decided_at"}, outcomeRows},
		{"events", []string{"ticket", "n", "kind", "at", "message", "data", "recorded_at"}, eventRows},
	}
	tables = append(tables, importedDeliveries...)
	tables = append(tables,
		importTable{"ratings", []string{"ticket", "agent", "score", "comment", "at"}, ratingRows},
		importTable{"undelivered", []string{"ticket", "seq"}, undeliveredRows})
	for _, table := range tables {
		var rows [][]any
		for _, t := range tickets {
			rows = append(rows, table.rows(t)...)
		}
		if _, err := im.tx.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	for _, t := range tickets {
		queuePromises(batch, t.Changes.State.Ticket, t.Changes.Promises)
		if err := queueTicket(batch, t.Changes); err != nil {
			return err
		}
	}
	if len(turns) > 0 {
		batch.Queue(takeAssignmentLock, int64(assignmentLock))
		queueTurns(batch, turns)
	}
	return im.tx.SendBatch(ctx, batch).Close()
}

// null returns nil for the zero value.
func null[T comparable](value T) any {
	var none T
	if value == none {
		return nil
	}
	return value
}

// ticketRows returns a ticket's row before its first step.
func ticketRows(t app.ImportedTicket) [][]any {
	first, last := t.Actions[0], t.Actions[len(t.Actions)-1]
	return [][]any{{
		t.Number, first.By.ID, t.Changes.State.Ticket.Policy, null(t.Order), null(t.Follows), first.At, first.At,
		last.At, t.Changes.Last, "new", first.Priority, first.Category,
	}}
}

func messageRows(t app.ImportedTicket) (rows [][]any) {
	for i, c := range t.Commands {
		if c.Message != 0 {
			a := t.Actions[i]
			rows = append(rows, []any{c.Message, t.Number, null(a.Subject), a.Body, c.Verb.Internal()})
		}
	}
	return rows
}

func commandRows(t app.ImportedTicket) (rows [][]any) {
	for _, c := range t.Commands {
		rows = append(rows, []any{
			t.Number, c.Seq, c.Verb, c.By.ID, c.By.Role, c.At, null(c.Message), null(c.Assignee), null(c.Priority), null(c.Category),
		})
	}
	return rows
}

func outcomeRows(t app.ImportedTicket) (rows [][]any) {
	for i, d := range t.Changes.Decisions {
		rows = append(rows, []any{t.Number, d.Seq, d.Refused, d.Code, d.Reason, t.Commands[i].At})
	}
	return rows
}

func eventRows(t app.ImportedTicket) (rows [][]any) {
	for _, e := range t.Changes.Events {
		rows = append(rows, []any{t.Number, e.N, e.Kind, e.At, null(e.Message), e, e.At})
	}
	return rows
}

func ratingRows(t app.ImportedTicket) [][]any {
	r := t.Rating
	if r == nil {
		return nil
	}
	return [][]any{{t.Number, null(t.RatedBy), r.Score, r.Comment, r.At}}
}

// undeliveredRows queues a ticket that is not closed for the relay.
func undeliveredRows(t app.ImportedTicket) [][]any {
	if t.Changes.State.Ticket.Closed() {
		return nil
	}
	return [][]any{{t.Number, int64(1)}}
}

var _ app.ImportStore = (*Store)(nil)
