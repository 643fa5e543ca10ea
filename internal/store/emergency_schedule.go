package store

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// shareSchedule takes the gate's lock as whoever accepts a submission or takes a step does: they read the clock and the gate
// only once they have it. Whoever changes the gate has it alone, and reads the clock likewise. So what a change touches
// lies after every instant at which anything happened before the change.
const shareSchedule = `SELECT pg_advisory_xact_lock_shared($1)`

// Barrier waits until every submission and every step that is under way has ended. Those that come later read a later
// clock.
func (s *Store) Barrier(ctx context.Context) error {
	return s.haveGate(ctx, "wait for what is under way at the gate", func(*gateChange) error { return nil })
}

// Schedule gives every emergency that was not cancelled. It is read anew only when it has changed.
func (s *Store) Schedule(ctx context.Context) (ticket.EmergencySchedule, error) {
	var revision int64
	if err := s.pool.QueryRow(ctx, `SELECT revision FROM gate`).Scan(&revision); err != nil {
		return ticket.EmergencySchedule{}, explain(err, "look at the gate")
	}
	g, err := s.scheduleSince(ctx, s.pool, revision)
	return g, explain(err, "read the gate")
}

// ScheduleSince gives the gate as it was at a revision or later, without asking when that is known already.
func (s *Store) ScheduleSince(ctx context.Context, revision int64) (ticket.EmergencySchedule, error) {
	g, err := s.scheduleSince(ctx, s.pool, revision)
	return g, explain(err, "read the gate")
}

// scheduleSince gives the gate as it was at a revision or later. Whoever shares the gate's lock and reads the revision
// under it gets just that one.
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

// emergencyRow is one emergency; without any, a row with the revision alone.
type emergencyRow struct {
	Revision int64
	ID       *ticket.EmergencyID
	Kind     *ticket.EmergencyKind
	StartsAt *time.Time
	EndsAt   *time.Time // null: until it is lifted
	Froms    []time.Time
	Seconds  []int64
}

// readSchedule reads all of it in one statement, and so as it was at one instant.
func readSchedule(ctx context.Context, q querier) (ticket.EmergencySchedule, error) {
	rows, err := q.Query(ctx, `
		SELECT g.revision, e.id, e.kind, e.starts_at, nullif(e.ends_at, 'infinity') AS ends_at,
			array(SELECT starts_at FROM emergency_delays WHERE emergency = e.id ORDER BY starts_at) AS froms,
			array(SELECT seconds FROM emergency_delays WHERE emergency = e.id ORDER BY starts_at) AS seconds
		FROM gate g LEFT JOIN emergencies e ON e.cancelled_at IS NULL ORDER BY e.starts_at, e.id`)
	if err != nil {
		return ticket.EmergencySchedule{}, err
	}
	found, err := pgx.CollectRows(rows, pgx.RowToStructByName[emergencyRow])
	if err != nil {
		return ticket.EmergencySchedule{}, err
	}
	var g ticket.EmergencySchedule
	for _, row := range found {
		g.Revision = row.Revision
		if row.ID != nil {
			g.Emergencies = append(g.Emergencies, row.emergency())
		}
	}
	return g, nil
}

func (r emergencyRow) emergency() ticket.Emergency {
	e := ticket.Emergency{ID: *r.ID, Kind: *r.Kind, From: *r.StartsAt}
	if r.EndsAt != nil {
		e.Until = *r.EndsAt
	}
	for i, from := range r.Froms {
		e.Delays = append(e.Delays, ticket.Delay{From: from, By: time.Duration(r.Seconds[i]) * time.Second})
	}
	return e
}
