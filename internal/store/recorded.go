package store

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// record writes what the step made of the ticket, all in one round trip, and reads what is owed after a mail.
func (v *visit) record(ctx context.Context, known int) (ticket.StepResult, error) {
	batch := &pgx.Batch{}
	if len(v.events) > 0 { // a command always leaves one: a refusal is an event too
		if err := v.write(ctx, batch); err != nil {
			return ticket.StepResult{}, err
		}
	}
	var owed []ticket.Owed
	batch.Queue(`SELECT n, person, kind FROM mails WHERE ticket = $1 AND n > $2 AND status = 'owed' ORDER BY n`,
		v.state.Ticket.Number, known).Query(func(rows pgx.Rows) (err error) {
		owed, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Owed])
		return err
	})
	if err := v.tx.SendBatch(ctx, batch).Close(); err != nil {
		return ticket.StepResult{}, err
	}
	return ticket.StepResult{State: v.state, Owed: owed, Pending: v.last}, nil
}

func (v *visit) write(ctx context.Context, batch *pgx.Batch) error {
	for i, e := range v.events {
		if e.N != v.was.Ticket.Events+i+1 {
			return fmt.Errorf("event %d follows event %d", e.N, v.was.Ticket.Events+i)
		}
	}
	owed, err := v.address(ctx)
	if err != nil {
		return err
	}
	v.state = ticket.Keep(v.state.Ticket, v.policy, v.state.Command, v.state.Mails+len(owed), v.now)
	if err := v.writeEvents(batch); err != nil {
		return err
	}
	v.writeMails(batch, owed)
	v.writeDecisions(batch)
	return v.writeRow(batch)
}

func (v *visit) writeEvents(batch *pgx.Batch) error {
	events, err := json.Marshal(v.events)
	if err != nil {
		return err
	}
	batch.Queue(`
		INSERT INTO events (ticket, n, kind, at, message, data)
		SELECT $1, (e->>'n')::int, e->>'kind', (e->>'at')::timestamptz, (e->>'message')::bigint, e
		FROM jsonb_array_elements($2::jsonb) e`, v.state.Ticket.Number, events)
	if v.told > 0 {
		batch.Queue(`UPDATE mails SET told = $3 WHERE ticket = $1 AND n = $2`, v.state.Ticket.Number, v.told, v.state.Ticket.Events)
	}
	return nil
}

// address turns audiences into people. An event owes nobody two mails, however many audiences they are in.
func (v *visit) address(ctx context.Context) ([]ticket.Mail, error) {
	type recipient struct {
		event  int
		person ticket.PersonID
	}
	seen := map[recipient]bool{}
	var owed []ticket.Mail
	for _, m := range v.mails {
		to := []ticket.PersonID{m.Person}
		if m.Audience != "" {
			var err error
			if to, err = audience(ctx, v.tx, m.Audience); err != nil {
				return nil, err
			}
		}
		for _, person := range to {
			if who := (recipient{m.Event, person}); !seen[who] {
				seen[who] = true
				m.Person, m.Audience = person, ""
				owed = append(owed, m)
			}
		}
	}
	return owed, nil
}

// audience lists its people who are not disabled, always in the same order.
func audience(ctx context.Context, q querier, a policy.Audience) ([]ticket.PersonID, error) {
	role := ticket.RoleSupervisor
	if a == policy.TellAdministrators {
		role = ticket.RoleAdministrator
	}
	rows, err := q.Query(ctx, `SELECT id FROM people WHERE role = $1 AND disabled_at IS NULL ORDER BY id`, role)
	if err != nil {
		return nil, err
	}
	return pgx.CollectRows(rows, pgx.RowTo[ticket.PersonID])
}

func (v *visit) writeMails(batch *pgx.Batch, owed []ticket.Mail) {
	for i, m := range owed {
		batch.Queue(`
			INSERT INTO mails (ticket, n, event, kind, person, clock, rung) VALUES ($1, $2, $3, $4, $5, nullif($6, ''), $7)`,
			v.state.Ticket.Number, v.was.Mails+i+1, m.Event, m.Kind, m.Person, m.Clock, m.Rung)
	}
}

// writeDecisions also wakes whoever waits for them, wherever they wait, when the step commits.
func (v *visit) writeDecisions(batch *pgx.Batch) {
	for _, d := range v.decisions {
		batch.Queue(`INSERT INTO outcomes (ticket, seq, refused, code, reason) VALUES ($1, $2, $3, $4, $5)`,
			v.state.Ticket.Number, d.seq, d.outcome.Refused, d.outcome.Code, d.outcome.Reason)
		batch.Queue(`SELECT pg_notify($1, $2)`, outcomeChannel, notice(v.state.Ticket.Number, d.seq))
	}
}

func (v *visit) writeRow(batch *pgx.Batch) error {
	state, err := json.Marshal(v.state)
	if err != nil {
		return err
	}
	t := v.state.Ticket
	// latest_at follows the newest event, so that no command is put before it when the database's clock is set back.
	batch.Queue(`
		UPDATE tickets SET state = @state, taken = @taken, last_command = @last, latest_at = greatest(latest_at, @latest),
			events = @events, mails = @mails, status = @status, priority = @priority, category = @category,
			assignee = nullif(@assignee, ''), next_due = coalesce(@next::timestamptz, 'infinity'), promise_due = coalesce(@promise::timestamptz, 'infinity'),
			breached = @breached, rung = @rung, updated_at = @now
		WHERE number = @number`,
		pgx.StrictNamedArgs{
			"state": state, "taken": v.state.Command, "last": v.last, "latest": v.events[len(v.events)-1].At, "events": t.Events,
			"mails": v.state.Mails, "status": t.Status, "priority": t.Priority, "category": t.Category,
			"assignee": t.Assignee, "next": instant(v.state.Next.Due), "promise": instant(promiseDue(t)),
			"breached": breached(t), "rung": t.Rung(), "now": v.now, "number": t.Number,
		})
	return nil
}

// promiseDue is the deadline of the earliest promise that runs and is neither met nor broken; zero without one.
func promiseDue(t ticket.Ticket) time.Time {
	var dues []time.Time
	for _, name := range policy.ClockNames() {
		p := t.Promise(name)
		if due, ok := p.Clock.Due(); ok && !t.Closed() && p.BreachedAt.IsZero() && !p.Clock.Settled() && p.Clock.Running() {
			dues = append(dues, due)
		}
	}
	if len(dues) == 0 {
		return time.Time{}
	}
	return slices.MinFunc(dues, time.Time.Compare)
}

// breached reports whether a promise was broken and is owed still.
func breached(t ticket.Ticket) bool {
	broken := func(p ticket.Promise) bool { return !p.BreachedAt.IsZero() && p.MetAt.IsZero() }
	return broken(t.FirstResponse) || broken(t.Resolution)
}

// instant is null for the zero time.
func instant(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
