package store

import (
	"context"
	"encoding/json"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
)

// Write implements app.StepTx. It takes one round trip.
func (st *stepTx) Write(ctx context.Context, c app.StepChanges) (app.WriteResult, error) {
	var w app.WriteResult
	batch := &pgx.Batch{}
	if len(c.Events) > 0 {
		if err := st.queueEvents(batch, c); err != nil {
			return w, err
		}
	} else {
		st.queueProgress(batch, c)
	}
	if c.Unpark {
		batch.Queue(`DELETE FROM parked_steps WHERE ticket = $1`, st.number)
	}
	st.queueOwed(batch, c.Known, &w.Owed)
	st.queueManualOutcomes(batch, c.Manual, &w.Manual)
	return w, st.tx.SendBatch(ctx, batch).Close()
}

// queueProgress records how far a step without events has come: the transitions it has passed and the commands it has seen.
func (st *stepTx) queueProgress(batch *pgx.Batch, c app.StepChanges) {
	if !c.Passed.IsZero() {
		batch.Queue(`UPDATE tickets SET transitions_until = $2 WHERE number = $1`, st.number, c.Passed)
	}
	if c.Last > 0 {
		batch.Queue(`UPDATE tickets SET last_command = $2, latest_at = greatest(latest_at, $3) WHERE number = $1`,
			st.number, c.Last, c.Latest)
	}
}

// queueEvents inserts the step's events with everything that follows from them.
func (st *stepTx) queueEvents(batch *pgx.Batch, c app.StepChanges) error {
	events, err := json.Marshal(c.Events)
	if err != nil {
		return err
	}
	batch.Queue(`
		INSERT INTO events (ticket, n, kind, at, message, data)
		SELECT $1, (e->>'n')::int, e->>'kind', (e->>'at')::timestamptz, (e->>'message')::bigint, e
		FROM jsonb_array_elements($2::jsonb) e`, st.number, events)
	st.queueFailures(batch, c.Failures)
	st.queueDeliveries(batch, c)
	st.queueDecisions(batch, c)
	batch.Queue(`SELECT pg_notify($1, $2)`, changeChannel, changed(st.number, desk.ChangeStepped))
	queuePromises(batch, c.State.Ticket, c.Promises)
	queueTurns(batch, c.Turns)
	return queueTicket(batch, c)
}

// queueDecisions inserts the outcomes of commands and, when the step commits, notifies the processes that wait for them.
func (st *stepTx) queueDecisions(batch *pgx.Batch, c app.StepChanges) {
	for _, d := range c.Decisions {
		batch.Queue(`INSERT INTO outcomes (ticket, seq, refused, code, reason) VALUES ($1, $2, $3, $4, $5)`,
			st.number, d.Seq, d.Refused, d.Code, d.Reason)
		batch.Queue(`SELECT pg_notify($1, $2)`, outcomeChannel, notice(st.number, d.Seq))
	}
	if len(c.Decisions) > 0 {
		// A plan cached while the table was nearly empty would scan all of it in a rush.
		batch.Queue(`SELECT set_config('enable_seqscan', 'off', true)`)
		batch.Queue(`DELETE FROM undelivered WHERE ticket = $1 AND seq <= $2`, st.number, c.State.Command)
	}
}

// queueTurns records whom assignment rules chose. The assignment lock makes the next number the highest.
func queueTurns(batch *pgx.Batch, turns []app.RotationTurn) {
	for _, turn := range turns {
		batch.Queue(`
			INSERT INTO group_turns (group_handle, person, turn)
			SELECT $1, $2, 1 + coalesce(max(turn), 0) FROM group_turns WHERE group_handle = $1
			ON CONFLICT ON CONSTRAINT group_turns_pkey DO UPDATE SET turn = excluded.turn`, turn.Group, turn.Person)
	}
}

// queueTicket updates the ticket's row, whose columns repeat parts of its state for lists and due events.
func queueTicket(batch *pgx.Batch, c app.StepChanges) error {
	state, err := json.Marshal(c.State)
	if err != nil {
		return err
	}
	t := c.State.Ticket
	_, promise := t.NextPromise()
	// latest_at follows the newest event, so that no command precedes it if the database's clock is set back.
	batch.Queue(`
		UPDATE tickets SET state = @state, taken = @taken, last_command = @last, latest_at = greatest(latest_at, @latest),
			events = @events, mails = @mails, status = @status, priority = @priority, category = @category, policy = @policy,
			assignee = nullif(@assignee, ''), next_due = coalesce(@next::timestamptz, 'infinity'), promise_due = coalesce(@promise::timestamptz, 'infinity'),
			owed_at = coalesce(@owed::timestamptz, 'infinity'), breached = @breached, escalation_step = @escalation_step, updated_at = @now,
			shown_at = CASE WHEN @shown THEN @now ELSE shown_at END, transitions_until = coalesce(@transitions, transitions_until), paused_by = nullif(@paused_by, ''),
			snoozed_until = @snoozed
		WHERE number = @number`,
		pgx.StrictNamedArgs{
			"state": state, "taken": c.State.Command, "last": c.Last, "latest": c.Latest, "events": t.Events,
			"mails": c.State.Mails, "status": t.Status, "priority": t.Priority, "category": t.Category, "policy": t.Policy,
			"assignee": t.Assignee, "next": instant(c.State.Next.Due), "promise": instant(promise), "owed": instant(t.OwedAt()),
			"breached": t.Breached(), "escalation_step": t.EscalationStep(), "now": c.Now, "shown": c.Shown, "number": t.Number,
			"transitions": instant(c.Passed), "paused_by": t.PausingEmergency(),
			"snoozed": instant(t.SnoozedUntil),
		})
	return nil
}

var _ app.StepStore = (*Store)(nil)
