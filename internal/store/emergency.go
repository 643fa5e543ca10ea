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

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

var errNoEmergency = fault.New(fault.NotFound, "there is no such emergency")

// DeclareEmergency stores a planned emergency, or one that begins with the next whole second. The zero person is a
// manual command from Temporal UI. It returns Invalid with the field, Conflict if the key was used for another request
// or if there are too many emergencies, and Unavailable if the emergency schedule can't be locked in time.
func (s *Store) DeclareEmergency(ctx context.Context, by desk.Person, p desk.EmergencyPlan) (desk.Emergency, error) {
	return s.changeSchedule(ctx, "declare an emergency", func(g *gateChange) error {
		err := g.declared(by, p.IdempotencyKey)
		if !errors.Is(err, errNew) {
			return err
		}
		if err := g.another(); err != nil {
			return err
		}
		g.after, err = p.Declared(ticket.NewEmergencyID(), refTo(by), g.next)
		if err != nil {
			return err
		}
		return g.insert(by, p.IdempotencyKey)
	})
}

// ChangeEmergency changes an emergency that is not over, from the next whole second on. It returns NotFound, Invalid
// with the field, Conflict if it is too late, and Unavailable like DeclareEmergency. A change without effect is not
// recorded.
func (s *Store) ChangeEmergency(ctx context.Context, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.Emergency, error) {
	return s.changeSchedule(ctx, "change emergency "+string(id), func(g *gateChange) error {
		if err := g.load(id); err != nil {
			return err
		}
		after, err := g.after.Changed(c, g.next)
		if err != nil {
			return err
		}
		return g.update(by, after, desk.ActionChanged)
	})
}

// EndEmergency lifts an emergency from the next whole second on, or cancels it if it has not begun. It returns the
// errors of ChangeEmergency.
func (s *Store) EndEmergency(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.Emergency, error) {
	return s.changeSchedule(ctx, "end emergency "+string(id), func(g *gateChange) error {
		if err := g.load(id); err != nil {
			return err
		}
		after, err := g.after.Ended(g.next)
		if err != nil {
			return err
		}
		act := desk.ActionLifted
		if !after.Cancelled.IsZero() {
			act = desk.ActionCancelled
		}
		return g.update(by, after, act)
	})
}

// gateLock is the advisory lock on the emergency schedule. Acceptance and steps share it; a change of the schedule
// holds it exclusively.
const gateLock int64 = 0x48_4d_47_61_74_65

const (
	// While a change waits for the lock, acceptance and steps queue behind it. So it gives up soon, lets them pass and
	// tries again, altogether for longer than a stalled process can hold the lock; see idleTimeout.
	scheduleLockTimeout = 500 * time.Millisecond
	scheduleLockTries   = 12
)

// gateChange is a change of an emergency in a transaction that holds gateLock exclusively.
type gateChange struct {
	ctx   context.Context
	tx    pgx.Tx
	next  time.Time // the first whole second not used by an acceptance or a step
	after desk.Emergency
}

// changeSchedule runs change in a transaction that holds gateLock exclusively, and returns the changed emergency.
func (s *Store) changeSchedule(ctx context.Context, doing string, change func(*gateChange) error) (desk.Emergency, error) {
	var after desk.Emergency
	err := s.haveGate(ctx, doing, func(g *gateChange) error {
		err := change(g)
		after = g.after
		return err
	})
	if err != nil {
		return desk.Emergency{}, err
	}
	s.notices.Store(&noticeCache{revision: -1}) // so that a concurrent readNotices does not store what it read before
	return after, nil
}

// haveGate runs fn in a transaction that holds gateLock exclusively. It returns Unavailable if the lock can't be
// acquired in scheduleLockTries attempts.
func (s *Store) haveGate(ctx context.Context, doing string, fn func(*gateChange) error) error {
	for try := 1; ; try++ {
		err := s.within(ctx, func(tx pgx.Tx) error {
			g := &gateChange{ctx: ctx, tx: tx}
			if err := g.lock(); err != nil {
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
			return fault.Wrap(err, fault.Unavailable, "the desk is too busy to let an emergency be changed: try again")
		}
		if !loop.Sleep(ctx, time.Duration(20+rand.IntN(80))*time.Millisecond) { // random, so that two callers do not collide again
			return explain(ctx.Err(), "%s", doing)
		}
	}
}

// lock acquires gateLock and then reads the clock, so that every instant used before is earlier than next.
func (g *gateChange) lock() error {
	batch := &pgx.Batch{}
	batch.Queue(`SELECT set_config('lock_timeout', $1, true)`, fmt.Sprintf("%dms", scheduleLockTimeout.Milliseconds()))
	batch.Queue(`SELECT pg_advisory_xact_lock($1)`, gateLock)
	batch.Queue(`SELECT date_trunc('second', clock_timestamp()) + interval '1 second'`).
		QueryRow(func(row pgx.Row) error { return row.Scan(&g.next) })
	return g.tx.SendBatch(g.ctx, batch).Close()
}

// declared loads the emergency that was declared under an idempotency key. It returns errNew if there is none.
func (g *gateChange) declared(by desk.Person, key desk.IdempotencyKey) error {
	if key.Key == "" {
		return errNew
	}
	var id ticket.EmergencyID
	var first []byte
	err := g.tx.QueryRow(g.ctx, `SELECT id, fingerprint FROM emergencies WHERE declared_by IS NOT DISTINCT FROM nullif($1, '') AND key = $2`,
		by.ID, key.Key).Scan(&id, &first)
	switch {
	case errors.Is(err, pgx.ErrNoRows):
		return errNew
	case err != nil:
		return err
	}
	if err := key.Repeats(first); err != nil {
		return err
	}
	err = g.load(id)
	g.after.Again = true
	return err
}

// another checks that there may be one more emergency in force or planned.
func (g *gateChange) another() error {
	var lasting int
	err := g.tx.QueryRow(g.ctx, `SELECT count(*) FROM emergencies WHERE cancelled_at IS NULL AND ends_at >= $1`, g.next).Scan(&lasting)
	if err == nil {
		err = desk.CheckAnother(lasting)
	}
	return err
}

func (g *gateChange) load(id ticket.EmergencyID) error {
	all, err := emergencies(g.ctx, g.tx, `WHERE e.id = $1`, id)
	if err == nil && len(all) == 0 {
		return errNoEmergency
	}
	if err == nil {
		g.after = all[0]
	}
	return err
}

func (g *gateChange) insert(by desk.Person, key desk.IdempotencyKey) error {
	if err := g.count(); err != nil {
		return err
	}
	err := g.tx.QueryRow(g.ctx, `
		INSERT INTO emergencies (id, kind, notice, starts_at, ends_at, declared_by, revision, key, fingerprint)
		VALUES (@id, @kind, @notice, @starts, coalesce(@ends::timestamptz, 'infinity'), nullif(@by, ''), @revision, nullif(@key, ''), @fingerprint)
		RETURNING declared_at`,
		pgx.StrictNamedArgs{
			"id": g.after.ID, "kind": g.after.Kind, "notice": g.after.Notice, "starts": g.after.From, "ends": instant(g.after.Until),
			"by": by.ID, "revision": g.after.Revision, "key": key.Key, "fingerprint": fingerprint(key),
		}).Scan(&g.after.Declared)
	if err == nil {
		err = g.record(by, desk.ActionDeclared)
	}
	return err
}

func (g *gateChange) update(by desk.Person, after desk.Emergency, act desk.EmergencyAction) error {
	if after.Same(g.after) {
		return nil
	}
	g.after = after
	if err := g.count(); err != nil {
		return err
	}
	_, err := g.tx.Exec(g.ctx, `
		UPDATE emergencies SET notice = @notice, starts_at = @starts, ends_at = coalesce(@ends::timestamptz, 'infinity'),
			cancelled_at = @cancelled, revision = @revision
		WHERE id = @id`,
		pgx.StrictNamedArgs{
			"id": after.ID, "notice": after.Notice, "starts": after.From, "ends": instant(after.Until),
			"cancelled": instant(after.Cancelled), "revision": g.after.Revision,
		})
	if err == nil {
		err = g.record(by, act)
	}
	return err
}

// count increments the revision of the emergency schedule and assigns it to the change.
func (g *gateChange) count() error {
	return g.tx.QueryRow(g.ctx, `UPDATE emergency_schedule SET revision = revision + 1 RETURNING revision`).Scan(&g.after.Revision)
}

// record stores the emergency's delays and who changed it how.
func (g *gateChange) record(by desk.Person, act desk.EmergencyAction) error {
	state, err := json.Marshal(g.after.State())
	if err != nil {
		return fmt.Errorf("write down what was changed: %w", err)
	}
	batch := &pgx.Batch{}
	batch.Queue(`DELETE FROM emergency_delays WHERE emergency = $1`, g.after.ID)
	for _, d := range g.after.Delays {
		batch.Queue(`INSERT INTO emergency_delays (emergency, starts_at, seconds) VALUES ($1, $2, $3)`,
			g.after.ID, d.From, int64(d.By/time.Second))
	}
	batch.Queue(`INSERT INTO emergency_changes (revision, emergency, act, by_person, plan) VALUES ($1, $2, $3, nullif($4, ''), $5)`,
		g.after.Revision, g.after.ID, act, by.ID, state)
	return g.tx.SendBatch(g.ctx, batch).Close()
}

func refTo(p desk.Person) desk.Ref {
	return desk.Ref{ID: p.ID, Name: p.Name, Handle: p.Handle, Role: p.Role}
}

// BeginManualCommand records that a manual command is being carried out. It returns the workflow run that received it
// first, and its result, nil if there is none yet.
func (s *Store) BeginManualCommand(ctx context.Context, key, run string) (first string, result *ticket.ManualEmergencyResult, err error) {
	err = s.pool.QueryRow(ctx, `
		INSERT INTO emergency_manual_commands (key, run) VALUES ($1, $2)
		ON CONFLICT (key) DO UPDATE SET run = emergency_manual_commands.run RETURNING run, result`, key, run).Scan(&first, &result)
	return first, result, explain(err, "begin a signal by hand")
}

// EndManualCommand records the result of a manual command.
func (s *Store) EndManualCommand(ctx context.Context, key string, result ticket.ManualEmergencyResult) error {
	_, err := s.pool.Exec(ctx, `UPDATE emergency_manual_commands SET result = $2 WHERE key = $1`, key, result)
	return explain(err, "end a signal by hand")
}
