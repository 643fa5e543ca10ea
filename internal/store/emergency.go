package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/app"
	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoEmergency = fault.New(fault.NotFound, "there is no such emergency")

// scheduleLock is the advisory lock on the emergency schedule. Acceptance and steps share it; a change of the schedule
// holds it exclusively. The number is arbitrary (HMGate in ASCII); processes of all releases must agree on it.
const scheduleLock int64 = 0x48_4d_47_61_74_65

const (
	// While a change waits for the lock, acceptance and steps queue behind it. So it gives up soon, lets them pass and
	// tries again, altogether for longer than a stalled process can hold the lock; see idleTimeout.
	scheduleLockTimeout = 500 * time.Millisecond
	scheduleLockTries   = 12
)

// scheduleTx is the transaction of a change of the schedule, which holds scheduleLock exclusively.
type scheduleTx struct {
	tx    pgx.Tx
	trace string // of the change; empty: none
	next  time.Time
}

// ScheduleTx runs fn in a transaction that holds scheduleLock exclusively.
func (s *Store) ScheduleTx(ctx context.Context, doing string, fn func(app.ScheduleTx) error) error {
	err := s.lockSchedule(ctx, doing, func(g *scheduleTx) error { return fn(g) })
	if err == nil {
		s.notices.Store(&noticeCache{revision: -1}) // so that a concurrent readNotices does not store what it read before
	}
	return err
}

// lockSchedule runs fn in a transaction that holds scheduleLock exclusively. It returns Unavailable if the lock can't be
// acquired in scheduleLockTries attempts.
func (s *Store) lockSchedule(ctx context.Context, doing string, fn func(*scheduleTx) error) error {
	for try := 1; ; try++ {
		err := s.within(ctx, func(tx pgx.Tx) error {
			g := &scheduleTx{tx: tx, trace: s.traceOf(ctx)}
			if err := g.lock(ctx); err != nil {
				return err
			}
			return fn(g)
		})
		pg, refused := errors.AsType[*pgconn.PgError](err)
		switch {
		case err == nil:
			return nil
		case !refused || pg.Code != lockNotAvailable:
			return explain(err, "%s", doing)
		case try == scheduleLockTries:
			return fault.Wrap(err, fault.Unavailable, "too much is in progress to change an emergency right now: try again")
		}
		if !loop.Sleep(ctx, time.Duration(20+rand.IntN(80))*time.Millisecond) { // random, so that two callers do not collide again
			return explain(ctx.Err(), "%s", doing)
		}
	}
}

// lock acquires scheduleLock and then reads the clock, so that every instant used before is earlier than next.
func (g *scheduleTx) lock(ctx context.Context) error {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT set_config('lock_timeout', $1, true)`, fmt.Sprintf("%dms", scheduleLockTimeout.Milliseconds()))
	batch.Queue(`SELECT pg_advisory_xact_lock($1)`, scheduleLock)
	batch.Queue(`SELECT date_trunc('second', clock_timestamp()) + interval '1 second'`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&g.next) })
	return g.tx.SendBatch(ctx, batch).Close()
}

// Next implements app.ScheduleTx.
func (g *scheduleTx) Next() time.Time { return g.next }

// DeclaredBefore implements app.ScheduleTx.
func (g *scheduleTx) DeclaredBefore(ctx context.Context, by ticket.PersonID, key string) (id ticket.EmergencyID, fingerprint []byte, err error) {
	err = g.tx.QueryRow(ctx, `SELECT id, fingerprint FROM emergencies WHERE declared_by IS NOT DISTINCT FROM nullif($1, '') AND key = $2`,
		by, key).Scan(&id, &fingerprint)
	return id, fingerprint, missing(err, nil)
}

// CountUnended implements app.ScheduleTx.
func (g *scheduleTx) CountUnended(ctx context.Context) (n int, err error) {
	err = g.tx.QueryRow(ctx, `SELECT count(*) FROM emergencies WHERE cancelled_at IS NULL AND ends_at >= $1`, g.next).Scan(&n)
	return n, err
}

// Emergency implements app.ScheduleTx.
func (g *scheduleTx) Emergency(ctx context.Context, id ticket.EmergencyID) (desk.Emergency, error) {
	return oneEmergency(ctx, g.tx, id)
}

// AddEmergency implements app.ScheduleTx.
func (g *scheduleTx) AddEmergency(ctx context.Context, by ticket.PersonID, e desk.Emergency, key desk.IdempotencyKey) (desk.Emergency, error) {
	if err := g.count(ctx, &e); err != nil {
		return e, err
	}
	err := g.tx.QueryRow(ctx, `
		INSERT INTO emergencies (id, kind, notice, starts_at, ends_at, declared_by, revision, key, fingerprint)
		VALUES (@id, @kind, @notice, @starts, coalesce(@ends::timestamptz, 'infinity'), nullif(@by, ''), @revision, nullif(@key, ''), @fingerprint)
		RETURNING declared_at`,
		pgx.StrictNamedArgs{
			"id": e.ID, "kind": e.Kind, "notice": e.Notice, "starts": e.From, "ends": instant(e.Until),
			"by": by, "revision": e.Revision, "key": key.Key, "fingerprint": fingerprint(key),
		}).Scan(&e.Declared)
	if err == nil {
		err = g.record(ctx, by, e, desk.ActionDeclared)
	}
	return e, err
}

// UpdateEmergency implements app.ScheduleTx.
func (g *scheduleTx) UpdateEmergency(ctx context.Context, by ticket.PersonID, e desk.Emergency, act desk.EmergencyAction) (desk.Emergency, error) {
	if err := g.count(ctx, &e); err != nil {
		return e, err
	}
	_, err := g.tx.Exec(ctx, `
		UPDATE emergencies SET notice = @notice, starts_at = @starts, ends_at = coalesce(@ends::timestamptz, 'infinity'),
			cancelled_at = @cancelled, revision = @revision
		WHERE id = @id`,
		pgx.StrictNamedArgs{
			"id": e.ID, "notice": e.Notice, "starts": e.From, "ends": instant(e.Until),
			"cancelled": instant(e.Cancelled), "revision": e.Revision,
		})
	if err == nil {
		err = g.record(ctx, by, e, act)
	}
	return e, err
}

// count increments the revision of the emergency schedule and assigns it to a changed emergency.
func (g *scheduleTx) count(ctx context.Context, e *desk.Emergency) error {
	return g.tx.QueryRow(ctx, `UPDATE emergency_schedule SET revision = revision + 1 RETURNING revision`).Scan(&e.Revision)
}

// record stores the emergency's delays and who changed it how.
func (g *scheduleTx) record(ctx context.Context, by ticket.PersonID, e desk.Emergency, act desk.EmergencyAction) error {
	state, err := json.Marshal(e.State())
	if err != nil {
		return fmt.Errorf("encode the changed emergency: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM emergency_delays WHERE emergency = $1`, e.ID)
	for _, d := range e.Delays {
		batch.Queue(`INSERT INTO emergency_delays (emergency, starts_at, seconds) VALUES ($1, $2, $3)`, e.ID, d.From, int64(d.By/time.Second))
	}
	batch.Queue(`INSERT INTO emergency_changes (revision, emergency, act, by_person, plan, trace) VALUES ($1, $2, $3, nullif($4, ''), $5, nullif($6, ''))`,
		e.Revision, e.ID, act, by, state, g.trace)
	return g.tx.SendBatch(ctx, batch).Close()
}

// BeginManualCommand records that a manual command is being carried out. It returns the workflow run that received it
// first, and its result, nil if there is none yet.
func (s *Store) BeginManualCommand(ctx context.Context, key, run string) (first string, result *ticket.ManualEmergencyResult, err error) {
	err = s.pool.QueryRow(ctx, `
		INSERT INTO emergency_manual_commands (key, run) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET run = emergency_manual_commands.run RETURNING run, result`, key, run).Scan(&first, &result)
	return first, result, explain(err, "begin a manual command")
}

// EndManualCommand records the result of a manual command.
func (s *Store) EndManualCommand(ctx context.Context, key string, result ticket.ManualEmergencyResult) error {
	_, err := s.pool.Exec(ctx, `UPDATE emergency_manual_commands SET result = $2 WHERE key = $1`, key, result)
	return explain(err, "end a manual command")
}

// shareSchedule shares the lock of the emergency schedule. Submissions and steps share it, and read the clock and the
// schedule only once they hold it; a change of the schedule holds it exclusively, and reads the clock likewise. So a change
// affects only instants after everything that was accepted or applied before it.
const shareSchedule = `SELECT pg_advisory_xact_lock_shared($1)`

// Barrier waits until all submissions and steps in progress have ended. Later ones read a later clock.
func (s *Store) Barrier(ctx context.Context) error {
	return s.lockSchedule(ctx, "wait for submissions and steps in progress", func(*scheduleTx) error { return nil })
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
