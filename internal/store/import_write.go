package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// write stores every ticket as acceptance leaves it, then everything that happened, and at last each row as its last
// step leaves it: so the trigger that guards steps guards imports too.
func (im *importing) write(ctx context.Context) error {
	for _, table := range []struct {
		name    string
		columns []string
		rows    func(*past) [][]any
	}{
		{"tickets", []string{"number", "requester", "policy", "order_number", "follows", "submitted_at", "updated_at", "latest_at", "last_command", "status", "priority", "category"}, (*past).ticketRows},
		{"messages", []string{"id", "ticket", "subject", "body", "internal"}, (*past).messageRows},
		{"commands", []string{"ticket", "seq", "verb", "by_person", "by_role", "accepted_at", "message", "assignee", "priority", "category"}, (*past).commandRows},
		{"outcomes", []string{"ticket", "seq", "refused", "code", "reason", "decided_at"}, (*past).outcomeRows},
		{"events", []string{"ticket", "n", "kind", "at", "message", "data", "recorded_at"}, (*past).eventRows},
		{"deliveries", []string{"queue", "ticket", "n", "event", "kind", "person", "clock", "rung", "status", "reason", "settled_at", "told", "owed_at", "stands_for"}, (*past).mailRows},
		{"deliveries", []string{"queue", "ticket", "n", "event", "webhook", "clock", "rung", "priority", "broken_at", "status", "owed_at", "settled_at"}, (*past).callRows},
		{"ratings", []string{"ticket", "agent", "score", "comment", "at"}, (*past).ratingRows},
		{"undelivered", []string{"ticket", "seq"}, (*past).undeliveredRows},
	} {
		var rows [][]any
		for _, t := range im.tickets {
			rows = append(rows, table.rows(t)...)
		}
		if _, err := im.tx.CopyFrom(ctx, pgx.Identifier{table.name}, table.columns, pgx.CopyFromRows(rows)); err != nil {
			return err
		}
	}
	batch := &pgx.Batch{}
	for _, t := range im.tickets {
		t.writePromises(batch)
		if err := t.writeRow(batch); err != nil {
			return err
		}
	}
	return im.tx.SendBatch(ctx, batch).Close()
}

// null is nil for what is not there.
func null[T comparable](value T) any {
	var none T
	if value == none {
		return nil
	}
	return value
}

func (t *past) ticketRows() [][]any {
	c, first := t.chronicle, t.chronicle.Deeds[0]
	return [][]any{{
		c.Number, first.By.ID, t.state.Ticket.Policy, null(c.Order), null(c.Follows), first.At, first.At,
		c.Deeds[len(c.Deeds)-1].At, t.last, "new", first.Priority, first.Category,
	}}
}

func (t *past) messageRows() (rows [][]any) {
	for i, c := range t.commands {
		if c.Message != 0 {
			d := t.chronicle.Deeds[i]
			rows = append(rows, []any{c.Message, t.chronicle.Number, null(d.Subject), d.Body, internal(c.Verb)})
		}
	}
	return rows
}

func (t *past) commandRows() (rows [][]any) {
	for _, c := range t.commands {
		rows = append(rows, []any{
			t.chronicle.Number, c.Seq, c.Verb, c.By.ID, c.By.Role, c.At, null(c.Message), null(c.Assignee), null(c.Priority), null(c.Category),
		})
	}
	return rows
}

func (t *past) outcomeRows() (rows [][]any) {
	for i, d := range t.decisions {
		rows = append(rows, []any{t.chronicle.Number, d.seq, d.outcome.Refused, d.outcome.Code, d.outcome.Reason, t.commands[i].At})
	}
	return rows
}

func (t *past) eventRows() (rows [][]any) {
	for _, e := range t.events {
		rows = append(rows, []any{t.chronicle.Number, e.N, e.Kind, e.At, null(e.Message), e, e.At})
	}
	return rows
}

func (t *past) mailRows() (rows [][]any) {
	for _, l := range t.letters {
		status := desk.DeliverySent
		if l.reason != "" {
			status = desk.DeliveryBounced
		}
		rows = append(rows, []any{
			outbox.TicketMails, t.chronicle.Number, l.n, l.Event, l.Kind, l.Person, null(l.Clock), l.Rung, status,
			null(storable(l.reason, maxReason)), l.at, null(l.told), l.at, null(l.standsFor),
		})
	}
	return rows
}

func (t *past) callRows() (rows [][]any) {
	for _, c := range t.dials {
		rows = append(rows, []any{
			outbox.Webhooks, t.chronicle.Number, c.n, c.Event, c.Webhook, c.Clock, c.Rung, c.Priority, c.Broken, desk.DeliverySent, c.at, c.at,
		})
	}
	return rows
}

func (t *past) ratingRows() [][]any {
	r := t.chronicle.Rating
	if r == nil {
		return nil
	}
	return [][]any{{t.chronicle.Number, null(t.assigneeAt(r.At)), r.Score, r.Comment, r.At}}
}

// assigneeAt gives who had the ticket at an instant; empty for nobody.
func (t *past) assigneeAt(at time.Time) (assignee ticket.PersonID) {
	for _, e := range t.events {
		if e.Assignee != "" && !e.At.After(at) {
			assignee = e.Assignee
		}
	}
	return assignee
}

// undeliveredRows put a ticket that goes on before the relay.
func (t *past) undeliveredRows() [][]any {
	if t.state.Ticket.Closed() {
		return nil
	}
	return [][]any{{t.chronicle.Number, int64(1)}}
}
