package store

import (
	"math"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

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
