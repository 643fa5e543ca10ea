package store

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/outbox"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// importTx is the transaction of an import.
type importTx struct {
	recipients
	store         *Store
	tx            pgx.Tx
	lastStatement time.Time // when the last statement was sent
}

// ImportTx implements app.ImportStore.
func (s *Store) ImportTx(ctx context.Context, fn func(app.ImportTx) error) error {
	err := s.within(ctx, func(tx pgx.Tx) error {
		return fn(&importTx{recipients: recipients{tx}, store: s, tx: tx, lastStatement: time.Now()})
	})
	return explain(err, "import tickets")
}

// Fresh implements app.ImportTx.
func (im *importTx) Fresh(ctx context.Context, numbers []ticket.Number) (map[ticket.Number]bool, error) {
	rows, _ := im.tx.Query(ctx, `SELECT n FROM unnest($1::text[]) n WHERE NOT EXISTS (SELECT FROM tickets WHERE number = n)`, numbers)
	fresh := map[ticket.Number]bool{}
	var number ticket.Number
	_, err := pgx.ForEachRow(rows, []any{&number}, func() error {
		fresh[number] = true
		return nil
	})
	return fresh, err
}

// Begin implements app.ImportTx.
func (im *importTx) Begin(ctx context.Context, messages int) (b app.ImportBase, err error) {
	// The transaction shares scheduleLock until its end, so a copy whose sender stalls must be bounded too.
	if _, err := im.tx.Exec(ctx, `SELECT set_config('statement_timeout', $1, true)`, fmt.Sprint(copyTime.Milliseconds())); err != nil {
		return b, err
	}
	if _, err := im.tx.Exec(ctx, shareSchedule, scheduleLock); err != nil {
		return b, err
	}
	var revision int64
	err = im.tx.QueryRow(ctx, `SELECT date_trunc('second', clock_timestamp()), (SELECT coalesce(max(version), 0) FROM policies WHERE effective_at <= clock_timestamp()),
		(SELECT revision FROM emergency_schedule), array(SELECT nextval(pg_get_serial_sequence('messages', 'id')) FROM generate_series(1, $1::int))`, messages).
		Scan(&b.Now, &b.Policy, &revision, &b.Messages)
	if err == nil && b.Policy == 0 {
		err = ErrNoPolicy
	}
	if err != nil {
		return b, err
	}
	b.Schedule, err = im.store.scheduleSince(ctx, im.tx, revision)
	return b, err
}

// copyTime is the statement timeout of an import, which writes a few thousand tickets table by table.
const copyTime = 30 * time.Second

// Policy implements app.ImportTx.
func (im *importTx) Policy(ctx context.Context, version int64) (*policy.Policy, error) {
	return im.store.policy(ctx, im.tx, version)
}

// Roster implements app.ImportTx. It doesn't lock the rotation, so that steps need not wait: a simultaneous choice by
// one merely makes that of the import less fair.
func (im *importTx) Roster(ctx context.Context, group string) ([]ticket.Candidate, error) {
	return roster(ctx, im.tx, group)
}

// KeepAlive implements app.ImportTx.
func (im *importTx) KeepAlive(ctx context.Context) error {
	if time.Since(im.lastStatement) < idleTimeout/4 {
		return nil
	}
	im.lastStatement = time.Now()
	_, err := im.tx.Exec(ctx, `SELECT`)
	return err
}

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
		{"messages", []string{"id", "ticket", "subject", "body", "format", "internal", "channel"}, messageRows},
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
		queueParticipants(batch, t.Changes.State.Ticket, t.Changes.Events)
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
			rows = append(rows, []any{c.Message, t.Number, null(a.Subject), a.Body, a.Format.OrText(), c.Verb.Internal(), desk.ChannelPage})
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
