package store

import (
	"math"
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
	taken, counted := l.times(name, r)
	batch.Queue(`
		INSERT INTO promises (ticket, clock, submitted_at, verdict, charge, taken, counted)
		VALUES (@ticket, @clock, @submitted, left(@verdict, 1)::"char", charge_of(@priority, @category, @agent), @taken, @counted)
		ON CONFLICT ON CONSTRAINT promises_pkey DO UPDATE SET
			verdict = excluded.verdict, taken = excluded.taken, counted = excluded.counted,
			charge = CASE WHEN @settled THEN promises.charge ELSE excluded.charge END`,
		pgx.StrictNamedArgs{
			"ticket": t.Number, "clock": name, "submitted": t.Submitted, "verdict": r.Verdict, "priority": r.Priority,
			"category": r.Category, "agent": r.Agent, "taken": taken, "counted": counted, "settled": settled,
		})
}

// times is how long a delivery took, by the wall's clock and by the promise's own; nil without one.
func (l *locked) times(name policy.ClockName, r ticket.Ruling) (taken, counted *int32) {
	if r.MetAt.IsZero() {
		return nil, nil
	}
	t := l.state.Ticket
	return seconds(r.MetAt.Sub(t.Submitted)), seconds(t.Promise(name).Clock.Used(l.desk.Policy.Calendar, r.MetAt))
}

// writePromises keeps what reports count of a ticket that is imported.
func (t *past) writePromises(batch *pgx.Batch) {
	for _, name := range policy.ClockNames() {
		r, _ := ticket.Rule(t.was.Ticket, t.events, name)
		t.writePromise(batch, name, r, false)
	}
}

func seconds(d time.Duration) *int32 {
	n := int32(min(d/time.Second, math.MaxInt32))
	return &n
}
