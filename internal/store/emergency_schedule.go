package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// shareSchedule shares the lock of the emergency schedule. Submissions and steps share it, and read the clock and the
// schedule only once they hold it; a change of the schedule holds it exclusively, and reads the clock likewise. So a change
// affects only instants after everything that was accepted or applied before it.
const shareSchedule = `SELECT pg_advisory_xact_lock_shared($1)`

// Barrier waits until all submissions and steps in progress have ended. Later ones read a later clock.
func (s *Store) Barrier(ctx context.Context) error {
	return s.haveGate(ctx, "wait for submissions and steps in progress", func(*gateChange) error { return nil })
}

// Schedule returns the emergency schedule: all emergencies except cancelled ones. It is read again only if its revision
// has changed.
func (s *Store) Schedule(ctx context.Context) (ticket.EmergencySchedule, error) {
	var revision int64
	if err := s.pool.QueryRow(ctx, `SELECT revision FROM emergency_schedule`).Scan(&revision); err != nil {
		return ticket.EmergencySchedule{}, explain(err, "read the emergency schedule's revision")
	}
	schedule, err := s.scheduleSince(ctx, s.pool, revision)
	return schedule, explain(err, "read the emergency schedule")
}

// ScheduleSince returns the emergency schedule of a revision or a later one. It doesn't query the database if it already
// has one.
func (s *Store) ScheduleSince(ctx context.Context, revision int64) (ticket.EmergencySchedule, error) {
	schedule, err := s.scheduleSince(ctx, s.pool, revision)
	return schedule, explain(err, "read the emergency schedule")
}

// scheduleSince returns the emergency schedule of a revision or a later one. A caller that shares the schedule's lock and
// has read the revision under it gets exactly that one.
func (s *Store) scheduleSince(ctx context.Context, q querier, revision int64) (ticket.EmergencySchedule, error) {
	if known := s.schedule.Load(); known != nil && known.Revision >= revision {
		return *known, nil
	}
	read, err := readSchedule(ctx, q)
	if err != nil {
		return ticket.EmergencySchedule{}, err
	}
	for {
		known := s.schedule.Load()
		if known != nil && known.Revision >= read.Revision {
			return *known, nil
		}
		if s.schedule.CompareAndSwap(known, &read) {
			return read, nil
		}
	}
}

// emergencyRow is an emergency of the schedule. A schedule without emergencies is one row that has only the revision.
type emergencyRow struct {
	Revision int64
	ID       *ticket.EmergencyID
	Kind     *ticket.EmergencyKind
	StartsAt *time.Time
	EndsAt   instant // zero: until it is lifted
	Froms    []time.Time
	Seconds  []int64
}

// readSchedule reads the schedule and its revision in one statement, so that they agree.
func readSchedule(ctx context.Context, q querier) (ticket.EmergencySchedule, error) {
	rows, _ := q.Query(ctx, `
		SELECT g.revision, e.id, e.kind, e.starts_at, nullif(e.ends_at, 'infinity') AS ends_at,
			array(SELECT starts_at FROM emergency_delays WHERE emergency = e.id ORDER BY starts_at) AS froms,
			array(SELECT seconds FROM emergency_delays WHERE emergency = e.id ORDER BY starts_at) AS seconds
		FROM emergency_schedule g LEFT JOIN emergencies e ON e.cancelled_at IS NULL ORDER BY e.starts_at, e.id`)
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[emergencyRow])
	if err != nil {
		return ticket.EmergencySchedule{}, err
	}
	var schedule ticket.EmergencySchedule
	for _, row := range found {
		schedule.Revision = row.Revision
		if row.ID != nil {
			schedule.Emergencies = append(schedule.Emergencies, row.emergency())
		}
	}
	return schedule, nil
}

func (r emergencyRow) emergency() ticket.Emergency {
	e := ticket.Emergency{ID: *r.ID, Kind: *r.Kind, From: *r.StartsAt, Until: time.Time(r.EndsAt)}
	for i, from := range r.Froms {
		e.Delays = append(e.Delays, ticket.Delay{From: from, By: time.Duration(r.Seconds[i]) * time.Second})
	}
	return e
}
