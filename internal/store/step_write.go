package store

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// write stores what the step made of the ticket, all in one round trip, and reads what is owed after a mail.
func (l *locked) write(ctx context.Context, known int) (ticket.StepResult, error) {
	batch := &pgx.Batch{}
	if len(l.events) > 0 { // a command always leaves one: a refusal is an event too
		if err := l.queue(ctx, batch); err != nil {
			return ticket.StepResult{}, err
		}
	} else {
		l.queueGate(batch)
		l.queueNumbers(batch)
		l.show()
	}
	if l.caughtUp && l.parked != nil {
		l.unpark(batch)
	}
	var owed []ticket.Owed
	batch.Queue(`
		SELECT n, coalesce(person, ''), coalesce(kind, queue), coalesce(webhook, ''), asks FROM deliveries
		WHERE ticket = $1 AND n > $2 AND status = 'owed' ORDER BY n LIMIT $3`,
		l.state.Ticket.Number, known, ticket.MaxOwed).Query(func(rows pgx.Rows) (err error) {
		owed, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Owed])
		return err
	})
	if err := l.tx.SendBatch(ctx, batch).Close(); err != nil {
		return ticket.StepResult{}, err
	}
	digest := l.state.Digest()
	digest.Parked = l.parked
	return ticket.StepResult{Digest: digest, Owed: owed, Pending: l.last}, nil
}

// queueNumbers records that signals by hand have got numbers, when nothing has come of them yet.
func (l *locked) queueNumbers(batch *pgx.Batch) {
	if l.last > l.before {
		batch.Queue(`UPDATE tickets SET last_command = $2, latest_at = greatest(latest_at, $3) WHERE number = $1`,
			l.state.Ticket.Number, l.last, l.now)
	}
}

// show completes a state that was kept before there was anything to show, so that whoever asks for a step of an old
// ticket is answered as for a new one. The row waits for the next event.
func (l *locked) show() {
	if l.state.Shown == nil && l.state.Command > 0 {
		l.state = ticket.Keep(l.state.Ticket, l.desk.Policy, l.state.Command, l.state.Mails, l.now)
	}
}

func (l *locked) queue(ctx context.Context, batch *pgx.Batch) error {
	for i, e := range l.events {
		if e.N != l.was.Ticket.Events+i+1 {
			return fmt.Errorf("event %d follows event %d", e.N, l.was.Ticket.Events+i)
		}
	}
	owed, err := l.address(ctx)
	if err != nil {
		return err
	}
	l.state = ticket.Keep(l.state.Ticket, l.desk.Policy, l.state.Command, l.state.Mails+len(owed)+len(l.calls), l.now)
	if err := l.writeEvents(batch); err != nil {
		return err
	}
	l.writeMails(batch, owed)
	l.writeCalls(batch, l.was.Mails+len(owed))
	l.writeDecisions(batch)
	batch.Queue(`SELECT pg_notify($1, $2)`, changeChannel, changed(l.state.Ticket.Number, desk.ChangeStepped))
	l.writePromises(batch)
	l.writeTurns(batch)
	return l.writeRow(batch)
}

func (l *locked) writeEvents(batch *pgx.Batch) error {
	events, err := json.Marshal(l.events)
	if err != nil {
		return err
	}
	batch.Queue(`
		INSERT INTO events (ticket, n, kind, at, message, data)
		SELECT $1, (e->>'n')::int, e->>'kind', (e->>'at')::timestamptz, (e->>'message')::bigint, e
		FROM jsonb_array_elements($2::jsonb) e`, l.state.Ticket.Number, events)
	for _, t := range l.told {
		batch.Queue(`UPDATE deliveries SET told = $3 WHERE ticket = $1 AND n = $2`, l.state.Ticket.Number, t.n, t.event)
	}
	return nil
}

func (l *locked) writeMails(batch *pgx.Batch, owed []addressed) {
	for i, m := range owed {
		batch.Queue(`
			INSERT INTO deliveries (queue, ticket, n, event, kind, person, clock, rung, stands_for, epoch, asks)
			VALUES ('ticket', $1, $2, $3, $4, $5, nullif($6, ''), $7, nullif($8, ''), $9, $10)`,
			l.state.Ticket.Number, l.was.Mails+i+1, m.Event, m.Kind, m.Person, m.Clock, m.Rung, m.standsFor, l.epoch, m.Asks)
		if m.Resends > 0 {
			batch.Queue(`
				UPDATE deliveries m SET resends = first.n, about = coalesce(first.about, first.event), address = c.address
				FROM deliveries first, commands c
				WHERE m.ticket = $1 AND m.n = $2 AND first.ticket = $1 AND first.n = $3 AND c.ticket = $1 AND c.seq = $4`,
				l.state.Ticket.Number, l.was.Mails+i+1, m.Resends, l.events[m.Event-l.was.Ticket.Events-1].Command)
		}
	}
}

// writeDecisions also wakes whoever waits for them, wherever they wait, when the step commits.
func (l *locked) writeDecisions(batch *pgx.Batch) {
	for _, d := range l.decisions {
		batch.Queue(`INSERT INTO outcomes (ticket, seq, refused, code, reason) VALUES ($1, $2, $3, $4, $5)`,
			l.state.Ticket.Number, d.seq, d.outcome.Refused, d.outcome.Code, d.outcome.Reason)
		batch.Queue(`SELECT pg_notify($1, $2)`, outcomeChannel, notice(l.state.Ticket.Number, d.seq))
	}
	if len(l.decisions) > 0 {
		// A plan that was made while next to nothing was undelivered would read all of it in a rush.
		batch.Queue(`SELECT set_config('enable_seqscan', 'off', true)`)
		batch.Queue(`DELETE FROM undelivered WHERE ticket = $1 AND seq <= $2`, l.state.Ticket.Number, l.state.Command)
	}
}

func (l *locked) writeRow(batch *pgx.Batch) error {
	state, err := json.Marshal(l.state)
	if err != nil {
		return err
	}
	t := l.state.Ticket
	_, promise := t.NextPromise()
	// latest_at follows the newest event, so that no command is put before it when the database's clock is set back.
	batch.Queue(`
		UPDATE tickets SET state = @state, taken = @taken, last_command = @last, latest_at = greatest(latest_at, @latest),
			events = @events, mails = @mails, status = @status, priority = @priority, category = @category, policy = @policy,
			assignee = nullif(@assignee, ''), next_due = coalesce(@next::timestamptz, 'infinity'), promise_due = coalesce(@promise::timestamptz, 'infinity'),
			owed_at = coalesce(@owed::timestamptz, 'infinity'), breached = @breached, rung = @rung, updated_at = @now, shown_at = coalesce(@shown, shown_at),
			gate_at = coalesce(@gate, gate_at), held = nullif(@held, '')
		WHERE number = @number`,
		pgx.StrictNamedArgs{
			"state": state, "taken": l.state.Command, "last": l.last, "latest": l.events[len(l.events)-1].At, "events": t.Events,
			"mails": l.state.Mails, "status": t.Status, "priority": t.Priority, "category": t.Category, "policy": t.Policy,
			"assignee": t.Assignee, "next": instant(l.state.Next.Due), "promise": instant(promise), "owed": instant(t.OwedAt()),
			"breached": t.Breached(), "rung": t.Rung(), "now": l.now, "shown": instant(l.shown()), "number": t.Number,
			"gate": instant(l.gateAt), "held": t.Held(),
		})
	return nil
}

// shown is now, when the requester may see anything of what the step made; else zero.
func (l *locked) shown() time.Time {
	for _, e := range l.events {
		if e.ShownTo(l.state.Ticket.Requester) {
			return l.now
		}
	}
	return time.Time{}
}

// instant is null for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
