package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// scheduleStore holds the emergency schedule.
type scheduleStore interface {
	// ScheduleTx runs fn in a transaction during which nothing is accepted and no step is taken, and commits it if fn returns
	// nil. It returns an Unavailable fault if others hold the schedule's lock for too long.
	ScheduleTx(ctx context.Context, doing string, fn func(ScheduleTx) error) error
}

// ScheduleTx is the transaction of one change of the emergency schedule. Each change is logged with the person who made it.
type ScheduleTx interface {
	// Next returns the first whole second that no acceptance and no step has used. A change takes effect then or later.
	Next() time.Time
	// DeclaredBefore returns the emergency that a person declared with a key and the fingerprint of that request; an empty ID if
	// there is none.
	DeclaredBefore(ctx context.Context, by ticket.PersonID, key string) (id ticket.EmergencyID, fingerprint []byte, err error)
	// Lasting returns the number of emergencies that are in force or planned.
	Lasting(context.Context) (int, error)
	// Emergency returns a NotFound fault if there is none with the ID.
	Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error)
	// AddEmergency stores a new emergency and returns it with its revision.
	AddEmergency(ctx context.Context, by ticket.PersonID, e desk.Emergency, key desk.IdempotencyKey) (desk.Emergency, error)
	// UpdateEmergency stores a changed emergency and returns it with its revision.
	UpdateEmergency(ctx context.Context, by ticket.PersonID, e desk.Emergency, act desk.EmergencyAction) (desk.Emergency, error)
}

// DeclareEmergency stores a planned emergency, or one that starts with the next whole second. The zero person stands for a
// manual command. It returns an Invalid fault that names the fields of the plan, and a Conflict if the key was used for another
// request or if desk.MaxEmergencies are in force or planned. It checks no permission; see Emergencies.Declare.
func DeclareEmergency(ctx context.Context, s scheduleStore, by desk.Person, p desk.EmergencyPlan) (desk.Emergency, error) {
	return changeSchedule(ctx, s, "declare an emergency", func(tx ScheduleTx) (e desk.Emergency, err error) {
		if p.IdempotencyKey.Key != "" {
			id, first, err := tx.DeclaredBefore(ctx, by.ID, p.IdempotencyKey.Key)
			if err == nil && id != "" {
				err = p.IdempotencyKey.Repeats(first)
			}
			if err != nil {
				return e, err
			}
			if id != "" {
				e, err = tx.Emergency(ctx, id)
				e.Again = true
				return e, err
			}
		}
		lasting, err := tx.Lasting(ctx)
		if err == nil {
			err = desk.CheckAnother(lasting)
		}
		if err == nil {
			e, err = p.Declared(ticket.NewEmergencyID(), by.Ref(), tx.Next())
		}
		if err != nil {
			return e, err
		}
		return tx.AddEmergency(ctx, by.ID, e, p.IdempotencyKey)
	})
}

// ChangeEmergency changes an emergency that is not over, from the next whole second on. It returns NotFound, an Invalid fault
// that names the fields, and a Conflict if it is too late. A change without effect is not stored.
func ChangeEmergency(ctx context.Context, s scheduleStore, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.Emergency, error) {
	return updateEmergency(ctx, s, by, id, desk.ActionChanged, func(e desk.Emergency, next time.Time) (desk.Emergency, error) { return e.Changed(c, next) })
}

// EndEmergency lifts an emergency from the next whole second on, or cancels it if it has not started. It returns the errors of
// ChangeEmergency.
func EndEmergency(ctx context.Context, s scheduleStore, by desk.Person, id ticket.EmergencyID) (desk.Emergency, error) {
	return updateEmergency(ctx, s, by, id, desk.ActionLifted, desk.Emergency.Ended)
}

func updateEmergency(ctx context.Context, s scheduleStore, by desk.Person, id ticket.EmergencyID, act desk.EmergencyAction, change func(desk.Emergency, time.Time) (desk.Emergency, error)) (desk.Emergency, error) {
	return changeSchedule(ctx, s, "change emergency "+string(id), func(tx ScheduleTx) (desk.Emergency, error) {
		before, err := tx.Emergency(ctx, id)
		if err != nil {
			return before, err
		}
		after, err := change(before, tx.Next())
		switch {
		case err != nil || after.Same(before):
			return before, err
		case !after.Cancelled.IsZero():
			act = desk.ActionCancelled
		}
		return tx.UpdateEmergency(ctx, by.ID, after, act)
	})
}

// changeSchedule runs a change in a transaction and returns the emergency that it returns.
func changeSchedule(ctx context.Context, s scheduleStore, doing string, change func(ScheduleTx) (desk.Emergency, error)) (e desk.Emergency, err error) {
	err = s.ScheduleTx(ctx, doing, func(tx ScheduleTx) (err error) {
		e, err = change(tx)
		return err
	})
	if err != nil {
		return desk.Emergency{}, err
	}
	return e, nil
}
