package store

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Undelivered implements app.StepTx.
func (st *stepTx) Undelivered(ctx context.Context, n int) (u app.Undelivered, exists bool, err error) {
	err = st.tx.QueryRow(ctx, `
		SELECT CASE WHEN asks THEN event ELSE 0 END, coalesce(webhook, '') FROM deliveries
		WHERE ticket = $1 AND n = $2 AND status <> 'sent' AND failure_event IS NULL FOR UPDATE`, st.number, n).Scan(&u.Asks, &u.Webhook)
	exists, err = found(err)
	return u, exists, err
}

// AskingMail implements app.StepTx.
func (st *stepTx) AskingMail(ctx context.Context, event int) (m app.AskingMail, exists bool, err error) {
	err = st.tx.QueryRow(ctx, `
		SELECT m.n, CASE WHEN m.status <> 'owed' THEN greatest(date_trunc('second', m.settled_at), e.at) END, m.status = 'bounced'
		FROM deliveries m JOIN events e ON e.ticket = m.ticket AND e.n = m.event
		WHERE m.ticket = $1 AND m.event = $2 AND m.asks`, st.number, event).Scan(&m.N, nullable(&m.Settled), &m.Bounced)
	exists, err = found(err)
	return m, exists, err
}

// MailToResend implements app.StepTx.
func (st *stepTx) MailToResend(ctx context.Context, command int64) (m ticket.BouncedMail, exists bool, err error) {
	err = st.tx.QueryRow(ctx, `
		SELECT m.n, m.kind, m.person, coalesce(m.clock, ''), m.escalation_step, CASE WHEN m.asks THEN m.event ELSE 0 END, m.status = 'bounced',
			EXISTS (SELECT FROM deliveries a WHERE a.ticket = m.ticket AND a.resends = m.n)
		FROM deliveries m JOIN commands c ON c.ticket = m.ticket AND c.mail = m.n AND m.queue = 'ticket'
		WHERE c.ticket = $1 AND c.seq = $2`, st.number, command).
		Scan(&m.Mail, &m.Kind, &m.Person, &m.Clock, &m.EscalationStep, &m.Event, &m.Bounced, &m.Resent)
	exists, err = found(err)
	return m, exists, err
}

// queueDeliveries inserts the mails and webhook calls that follow from the step's events.
func (st *stepTx) queueDeliveries(batch *pgx.Batch, c app.StepChanges) {
	for _, m := range c.Mails {
		batch.Queue(`
			INSERT INTO deliveries (queue, ticket, n, event, kind, person, clock, escalation_step, stands_for, epoch, asks)
			VALUES ('ticket', $1, $2, $3, $4, $5, nullif($6, ''), $7, nullif($8, ''), $9, $10)`,
			st.number, m.N, m.Event, m.Kind, m.Person, m.Clock, m.EscalationStep, m.StandsFor, st.epoch, m.Asks)
		if m.Resends > 0 {
			batch.Queue(`
				UPDATE deliveries m SET resends = first.n, about = coalesce(first.about, first.event), address = c.address
				FROM deliveries first, commands c
				WHERE m.ticket = $1 AND m.n = $2 AND first.ticket = $1 AND first.n = $3 AND c.ticket = $1 AND c.seq = $4`,
				st.number, m.N, m.Resends, m.Command)
		}
	}
	for _, call := range c.Calls {
		batch.Queue(`
			INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, escalation_step, priority, breached_at, epoch)
			VALUES ('webhook', $1, $2, $3, $4, $5, $6, $7, $8, $9)`,
			st.number, call.N, call.Event, call.Webhook, call.Clock, call.EscalationStep, call.Priority, call.Breached, st.epoch)
	}
}

// queueFailures records which events report failed deliveries. One that is still owed has been given up after days of
// attempts, and becomes bounced or failed.
func (st *stepTx) queueFailures(batch *pgx.Batch, failures []app.DeliveryFailure) {
	for _, f := range failures {
		batch.Queue(`
			UPDATE deliveries SET status = CASE queue WHEN 'webhook' THEN 'failed' ELSE 'bounced' END,
				reason = coalesce(reason, 'given up'), settled_at = coalesce(settled_at, clock_timestamp()), failure_event = $3
			WHERE ticket = $1 AND n = $2`, st.number, f.N, f.Event)
	}
}

// queueOwed reads into owed the ticket's unsent deliveries numbered above known, at most ticket.MaxOwed.
func (st *stepTx) queueOwed(batch *pgx.Batch, known int, owed *[]ticket.Owed) {
	batch.Queue(`
		SELECT n, coalesce(person, ''), coalesce(kind, queue), coalesce(webhook, ''), asks,
			coalesce((SELECT handle FROM people WHERE id = person), '') FROM deliveries
		WHERE ticket = $1 AND n > $2 AND status = 'owed' ORDER BY n LIMIT $3`,
		st.number, known, ticket.MaxOwed).Query(func(rows pgx.Rows) (err error) {
		*owed, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Owed])
		return err
	})
}

// importedDeliveries are the columns of an import's mails and calls, all of them settled.
var importedDeliveries = []importTable{
	{"deliveries", []string{"queue", "ticket", "n", "event", "kind", "person", "clock", "escalation_step", "status", "reason", "settled_at", "failure_event", "owed_at", "stands_for"}, mailRows},
	{"deliveries", []string{"queue", "ticket", "n", "event", "webhook", "clock", "escalation_step", "priority", "breached_at", "status", "owed_at", "settled_at"}, callRows},
}

func mailRows(t app.ImportedTicket) (rows [][]any) {
	for _, m := range t.Mails {
		status := desk.DeliverySent
		if m.FailedBy > 0 {
			status = desk.DeliveryBounced
		}
		rows = append(rows, []any{
			outbox.TicketMails, t.Number, m.N, m.Event, m.Kind, m.Person, null(m.Clock), m.EscalationStep, status,
			null(storable(m.Reason)), m.At, null(m.FailedBy), m.At, null(m.StandsFor),
		})
	}
	return rows
}

func callRows(t app.ImportedTicket) (rows [][]any) {
	for _, c := range t.Calls {
		rows = append(rows, []any{
			outbox.Webhooks, t.Number, c.N, c.Event, c.Webhook, c.Clock, c.EscalationStep, c.Priority, c.Breached, desk.DeliverySent, c.At, c.At,
		})
	}
	return rows
}
