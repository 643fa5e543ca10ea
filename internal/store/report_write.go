package store

import (
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// writePromises keeps what reports count of each promise, where the step changed it.
func (l *locked) writePromises(batch *pgx.Batch) {
	first := l.was.Ticket.Events == 0
	for _, name := range policy.ClockNames() {
		before, _ := ticket.Rule(l.was.Ticket, nil, name)
		now, settled := ticket.Rule(l.was.Ticket, l.events, name)
		anew := before.Verdict != ticket.VerdictOwed && !settled // it fell a second time
		if first || anew || now != before {
			l.writePromise(batch, name, now, settled)
		}
	}
}

func (l *locked) writePromise(batch *pgx.Batch, name policy.ClockName, r ticket.Ruling, settled bool) {
	t := l.state.Ticket
	var taken, counted *int64 // seconds
	if !r.MetAt.IsZero() {
		taken = seconds(r.MetAt.Sub(t.Submitted))
		counted = seconds(t.Promise(name).Clock.Used(l.policy.Calendar, r.MetAt))
	}
	batch.Queue(`
		INSERT INTO promises (ticket, clock, submitted_at, verdict, priority, category, agent, taken, counted)
		VALUES (@ticket, @clock, @submitted, @verdict, @priority, @category, nullif(@agent, ''), @taken, @counted)
		ON CONFLICT ON CONSTRAINT promises_pkey DO UPDATE SET
			verdict = excluded.verdict, taken = excluded.taken, counted = excluded.counted,
			priority = CASE WHEN @settled THEN promises.priority ELSE excluded.priority END,
			category = CASE WHEN @settled THEN promises.category ELSE excluded.category END,
			agent = CASE WHEN @settled THEN promises.agent ELSE excluded.agent END`,
		pgx.StrictNamedArgs{
			"ticket": t.Number, "clock": name, "submitted": t.Submitted, "verdict": r.Verdict, "priority": r.Priority,
			"category": r.Category, "agent": r.Agent, "taken": taken, "counted": counted, "settled": settled,
		})
}

func seconds(d time.Duration) *int64 {
	n := int64(d / time.Second)
	return &n
}
