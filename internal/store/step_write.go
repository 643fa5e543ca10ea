package store

import (
	"context"
	"encoding/json"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Write implements app.StepTx. It takes one round trip, and commits in it.
func (st *stepTx) Write(ctx context.Context, c app.StepChanges) (app.WriteResult, error) {
	var w app.WriteResult
	batch := &pgx.Batch{}
	if len(c.Events) > 0 {
		if err := st.queueEvents(batch, c, st.store.traceOf(ctx)); err != nil {
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
	queueCommit(batch)
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
func (st *stepTx) queueEvents(batch *pgx.Batch, c app.StepChanges, trace string) error {
	events, err := json.Marshal(c.Events)
	if err != nil {
		return err
	}
	batch.Queue(`
		INSERT INTO events (ticket, n, kind, at, message, data)
		SELECT $1, (e->>'n')::int, e->>'kind', (e->>'at')::timestamptz, (e->>'message')::bigint, e
		FROM jsonb_array_elements($2::jsonb) e`, st.number, events)
	st.queueFailures(batch, c.Failures)
	st.queueDeliveries(batch, c, trace)
	st.queueDecisions(batch, c)
	st.notifications = append(st.notifications, changeNotification(st.number, desk.ChangeStepped))
	queueParticipants(batch, c.State.Ticket, c.Events)
	queuePromises(batch, c.State.Ticket, c.Promises)
	queueTurns(batch, c.Turns)
	return queueTicket(batch, c)
}

// queueDecisions inserts the outcomes of commands. The processes that wait for them are notified once the step is committed.
func (st *stepTx) queueDecisions(batch *pgx.Batch, c app.StepChanges) {
	for _, d := range c.Decisions {
		batch.Queue(`INSERT INTO outcomes (ticket, seq, refused, code, reason) VALUES ($1, $2, $3, $4, $5)`,
			st.number, d.Seq, d.Refused, d.Code, d.Reason)
		st.notifications = append(st.notifications, outcomeNotification(st.number, d.Seq, d.Outcome))
	}
	if len(c.Decisions) > 0 {
		batch.Queue(withoutScans)
		batch.Queue(`DELETE FROM undelivered WHERE ticket = $1 AND seq <= $2`, st.number, c.State.Command)
	}
}

// queueParticipants makes the table of participants that of the state if events change who is in the ticket.
func queueParticipants(batch *pgx.Batch, t ticket.Ticket, events []ticket.Event) {
	if !slices.ContainsFunc(events, ticket.Event.ChangesPeople) {
		return
	}
	in := participantIDs(t)
	batch.Queue(`DELETE FROM participants WHERE ticket = $1 AND person <> ALL (coalesce($2::text[], '{}'))`, t.Number, in)
	batch.Queue(`INSERT INTO participants (ticket, person) SELECT $1, unnest($2::text[]) ON CONFLICT DO NOTHING`, t.Number, in)
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

// stateColumns are the columns of a ticket's row that repeat parts of its state for lists and due events.
type stateColumns struct {
	Status         ticket.Status
	Priority       policy.Priority
	Category       string
	Assignee       ticket.PersonID
	NextDue        instant // these three are infinity in the row if they are zero
	PromiseDue     instant
	OwedAt         instant
	Breached       bool
	EscalationStep int
	PausedBy       ticket.EmergencyID
	SnoozedUntil   instant
}

func columnsOf(s ticket.State) stateColumns {
	t := s.Ticket
	_, promise := t.NextPromise()
	return stateColumns{
		Status: t.Status, Priority: t.Priority, Category: t.Category, Assignee: t.Assignee,
		NextDue: instant(s.Next.Due), PromiseDue: instant(promise), OwedAt: instant(t.OwedAt()), Breached: t.Breached(),
		EscalationStep: t.EscalationStep(), PausedBy: t.PausingEmergency(), SnoozedUntil: instant(t.SnoozedUntil),
	}
}

// queueTicket updates the ticket's row.
func queueTicket(batch *pgx.Batch, c app.StepChanges) error {
	state, err := json.Marshal(c.State)
	if err != nil {
		return err
	}
	t, columns := c.State.Ticket, columnsOf(c.State)
	// latest_at follows the newest event, so that no command precedes it if the database's clock is set back.
	batch.Queue(`
		UPDATE tickets SET state = @state, taken = @taken, last_command = @last, latest_at = greatest(latest_at, @latest),
			events = @events, mails = @mails, status = @status, priority = @priority, category = @category, policy = @policy, requester = @requester,
			assignee = nullif(@assignee, ''), next_due = coalesce(@next::timestamptz, 'infinity'), promise_due = coalesce(@promise::timestamptz, 'infinity'),
			owed_at = coalesce(@owed::timestamptz, 'infinity'), breached = @breached, escalation_step = @escalation_step, updated_at = @now,
			shown_at = CASE WHEN @shown THEN @now ELSE shown_at END, transitions_until = coalesce(@transitions, transitions_until), paused_by = nullif(@paused_by, ''),
			snoozed_until = @snoozed
		WHERE number = @number`,
		pgx.StrictNamedArgs{
			"state": state, "taken": c.State.Command, "last": c.Last, "latest": c.Latest, "events": t.Events,
			"mails": c.State.LastDelivery, "policy": t.Policy, "requester": t.Requester, "now": c.Now, "shown": c.Shown, "number": t.Number,
			"transitions": instant(c.Passed),
			"status":      columns.Status, "priority": columns.Priority, "category": columns.Category, "assignee": columns.Assignee,
			"next": columns.NextDue, "promise": columns.PromiseDue, "owed": columns.OwedAt, "breached": columns.Breached,
			"escalation_step": columns.EscalationStep, "paused_by": columns.PausedBy, "snoozed": columns.SnoozedUntil,
		})
	return nil
}

var _ app.StepStore = (*Store)(nil)

// FailedDelivery implements app.StepTx.
func (st *stepTx) FailedDelivery(ctx context.Context, n int) (u app.FailedDelivery, exists bool, err error) {
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
		SELECT m.n, m.kind, `+knownAs("m.person")+`, coalesce(m.clock, ''), m.escalation_step, CASE WHEN m.asks THEN m.event ELSE 0 END, m.status = 'bounced',
			EXISTS (SELECT FROM deliveries a WHERE a.ticket = m.ticket AND a.resends = m.n)
		FROM deliveries m JOIN commands c ON c.ticket = m.ticket AND c.mail = m.n AND m.queue = 'ticket'
		WHERE c.ticket = $1 AND c.seq = $2`, st.number, command).
		Scan(&m.Mail, &m.Kind, &m.Person, &m.Clock, &m.EscalationStep, &m.Event, &m.Bounced, &m.Resent)
	exists, err = found(err)
	return m, exists, err
}

// queueDeliveries inserts the mails and webhook calls that follow from the step's events.
func (st *stepTx) queueDeliveries(batch *pgx.Batch, c app.StepChanges, trace string) {
	for _, m := range c.Mails {
		batch.Queue(`
			INSERT INTO deliveries (queue, ticket, n, event, kind, person, clock, escalation_step, stands_for, epoch, asks, trace)
			VALUES ('ticket', $1, $2, $3, $4, `+knownAs("$5")+`, nullif($6, ''), $7, nullif($8, ''), $9, $10, nullif($11, ''))`,
			st.number, m.N, m.Event, m.Kind, m.Person, m.Clock, m.EscalationStep, m.StandsFor, st.epoch, m.Asks, trace)
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
			INSERT INTO deliveries (queue, ticket, n, event, webhook, clock, escalation_step, priority, breached_at, epoch, trace)
			VALUES ('webhook', $1, $2, $3, $4, $5, $6, $7, $8, $9, nullif($10, ''))`,
			st.number, call.N, call.Event, call.Webhook, call.Clock, call.EscalationStep, call.Priority, call.Breached, st.epoch, trace)
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

// queueOwed reads into owed the ticket's deliveries numbered above known that are not sent, at most ticket.MaxOwed: also those
// whose failure no step has recorded yet, because a worker died before. Delivering one again returns its failure.
func (st *stepTx) queueOwed(batch *pgx.Batch, known int, owed *[]ticket.Owed) {
	batch.Queue(`
		SELECT n, coalesce(person, ''), coalesce(kind, queue), coalesce(webhook, ''), asks,
			coalesce((SELECT handle FROM people WHERE id = person), ''),
			queue = 'ticket' AND EXISTS (SELECT FROM participants p WHERE p.ticket = $1 AND p.person = deliveries.person) FROM deliveries
		WHERE ticket = $1 AND n > $2 AND (status = 'owed' OR status IN ('bounced', 'failed') AND failure_event IS NULL) ORDER BY n LIMIT $3`,
		st.number, known, ticket.MaxOwed).Query(func(rows pgx.Rows) (err error) {
		*owed, err = pgx.CollectRows(rows, pgx.RowToStructByPos[ticket.Owed])
		return err
	})
}

// queuePromises upserts the ticket's SLA records, which reports count.
func queuePromises(batch *pgx.Batch, t ticket.Ticket, promises []app.PromiseRecord) {
	for _, p := range promises {
		batch.Queue(`
			INSERT INTO promises (ticket, clock, submitted_at, sla_status, charge, taken, counted)
			VALUES (@ticket, @clock, @submitted, left(@sla_status, 1)::"char", charge_of(@priority, @category, @agent), @taken, @counted)
			ON CONFLICT ON CONSTRAINT promises_pkey DO UPDATE SET
				sla_status = excluded.sla_status, taken = excluded.taken, counted = excluded.counted,
				charge = CASE WHEN @settled THEN promises.charge ELSE excluded.charge END`,
			pgx.StrictNamedArgs{
				"ticket": t.Number, "clock": p.Clock, "submitted": t.Submitted, "sla_status": p.SLAStatus, "priority": p.Priority,
				"category": p.Category, "agent": p.Agent, "taken": seconds(p.Taken), "counted": seconds(p.Counted), "settled": p.Settled,
			})
	}
}

// seconds returns a duration in whole seconds, at most math.MaxInt32; nil for nil.
func seconds(d *time.Duration) *int32 {
	if d == nil {
		return nil
	}
	n := int32(min(*d/time.Second, math.MaxInt32))
	return &n
}

// Unrecordable implements app.StepStore. It reports whether PostgreSQL refused the data, by class 22 or 23 of SQLSTATE.
// A violation of tickets_row_is_state is not reported: it means that the step itself is wrong, which refusing a command
// would hide.
func (s *Store) Unrecordable(err error) (reason string, ok bool) {
	pg, ok := errors.AsType[*pgconn.PgError](err)
	if !ok || pg.Code[:2] != "22" && pg.Code[:2] != "23" || pg.ConstraintName == "tickets_row_is_state" {
		return "", false
	}
	return "SQLSTATE " + pg.Code + " " + pg.ConstraintName, true
}

// parkedColumn is the ticket.Parked of ticket t as JSON; null if it isn't parked.
const parkedColumn = `(SELECT jsonb_build_object('since', since, 'retry', retry_at, 'reason', reason) FROM parked_steps WHERE ticket = t.number)`

// Park implements app.StepStore. Each further attempt lengthens the delay by p.Delay, up to p.MaxDelay.
func (s *Store) Park(ctx context.Context, p app.ParkRequest) error {
	_, err := s.pool.Exec(ctx, `
		INSERT INTO parked_steps (ticket, retry_at, reason) VALUES ($1, clock_timestamp() + $3::interval, $2)
		ON CONFLICT (ticket) DO UPDATE SET reason = excluded.reason, tries = parked_steps.tries + 1,
			retry_at = clock_timestamp() + least((parked_steps.tries + 1) * $3::interval, $4::interval)
			WHERE parked_steps.retry_at <= clock_timestamp()`, p.Number, p.Reason, p.Delay, p.MaxDelay)
	return explain(err, "park ticket %s", p.Number)
}

// Parked returns the tickets whose step can't be recorded, the longest parked first, at most limit.
func (s *Store) Parked(ctx context.Context, limit int) ([]ParkedStep, error) {
	rows, _ := s.pool.Query(ctx, `SELECT ticket AS number, since, retry_at AS retry, tries, reason FROM parked_steps ORDER BY since LIMIT $1`, limit)
	all, err := pgx.CollectRows(rows, pgx.RowToStructByName[ParkedStep])
	return all, explain(err, "list what is parked")
}

// ParkedStep is a ticket whose step can't be recorded.
type ParkedStep struct {
	Number ticket.Number
	Since  time.Time
	Retry  time.Time // not before
	Tries  int
	Reason string
}
