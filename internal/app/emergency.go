package app

import (
	"context"
	"slices"
	"sync/atomic"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencyReader reads emergencies and their audit logs.
type emergencyReader interface {
	Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error)
	// Emergencies returns all emergencies, the last declared first.
	Emergencies(context.Context) ([]desk.Emergency, error)
	EmergencyChanges(context.Context, ticket.EmergencyID) ([]desk.EmergencyEdit, error)
	// Notices returns the emergencies in force or planned, by start.
	Notices(context.Context) ([]desk.Emergency, error)
	// CountAnnouncementMails counts the mails of an emergency's announcements.
	CountAnnouncementMails(context.Context, ticket.EmergencyID) (desk.DeliveryCounts, error)
}

// affectedReader reads the tickets that an emergency affects, and the progress of fan-outs.
type affectedReader interface {
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	// CountAffected counts the affected tickets and their requesters. It counts only requesters with a ticket submitted before an
	// instant, or all if that is zero.
	CountAffected(ctx context.Context, before time.Time) (desk.AffectedCount, error)
	// TicketsWithTargets returns tickets that are neither resolved nor closed, by number.
	TicketsWithTargets(ctx context.Context, after ticket.Number, limit int) ([]desk.OpenTicket, error)
	LatestFanout(context.Context) (desk.Fanout, bool, error)
	// MeasuredFanout returns the last completed fan-out to at least so many tickets, and false if there is none.
	MeasuredFanout(ctx context.Context, least int) (desk.Fanout, bool, error)
}

// Emergencies lets supervisors declare, change and end emergencies, compute the effect in a dry run, and follow the fan-out
// to the open tickets.
type Emergencies struct {
	schedule scheduleStore
	reader   emergencyReader
	affected affectedReader
	policies publishedPolicies
	notifier waker
	dryRuns  chan struct{} // a semaphore of maxDryRuns
}

// NewEmergencies returns Emergencies over a store. It wakes the notifier after each change of the schedule.
func NewEmergencies(c scheduleStore, r emergencyReader, a affectedReader, p publishedPolicies, notifier waker) *Emergencies {
	return &Emergencies{schedule: c, reader: r, affected: a, policies: p, notifier: notifier, dryRuns: make(chan struct{}, maxDryRuns)}
}

// Declare declares an emergency. Once it returns, the emergency applies to every ticket, even before the fan-out has reached
// its workflow. Declare returns a Forbidden fault unless by is a supervisor or an administrator, an Invalid one that names
// the fields of the plan, and a Conflict if desk.MaxEmergencies are in force or planned.
func (s *Emergencies) Declare(ctx context.Context, by desk.Person, p desk.EmergencyPlan) (desk.Emergency, error) {
	return s.command(by, func() (desk.Emergency, error) { return DeclareEmergency(ctx, s.schedule, by, p) })
}

// Change changes an emergency from now on. It returns the faults of Declare, NotFound, and a Conflict for a change of the
// past; see desk.Emergency.Changed.
func (s *Emergencies) Change(ctx context.Context, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.Emergency, error) {
	return s.command(by, func() (desk.Emergency, error) { return ChangeEmergency(ctx, s.schedule, by, id, c) })
}

// End lifts an emergency in force or cancels a planned one. It returns Forbidden, NotFound, and a Conflict if the emergency
// is over.
func (s *Emergencies) End(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.Emergency, error) {
	return s.command(by, func() (desk.Emergency, error) { return EndEmergency(ctx, s.schedule, by, id) })
}

// command makes a change if the person has the permission. Manual commands are executed by ManualEmergencies.
func (s *Emergencies) command(by desk.Person, do func() (desk.Emergency, error)) (desk.Emergency, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return desk.Emergency{}, err
	}
	e, err := do()
	if err == nil {
		s.notifier.Wake()
	}
	return e, err
}

// List returns all emergencies, the last declared first.
func (s *Emergencies) List(ctx context.Context, by desk.Person) ([]desk.Emergency, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return nil, err
	}
	return s.reader.Emergencies(ctx)
}

// Current returns the emergencies in force or planned, by start.
func (s *Emergencies) Current(ctx context.Context) ([]desk.Emergency, error) {
	return s.reader.Notices(ctx)
}

// File returns an emergency with its audit log and the counts of its mails.
func (s *Emergencies) File(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.EmergencyFile, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return desk.EmergencyFile{}, err
	}
	e, err := s.reader.Emergency(ctx, id)
	f := desk.EmergencyFile{Emergency: e}
	if err == nil {
		f.Edits, err = s.reader.EmergencyChanges(ctx, id)
	}
	if err == nil {
		f.Mails, err = s.reader.CountAnnouncementMails(ctx, id)
	}
	return f, err
}

// Fanout returns the progress of the last fan-out, and false if there was none.
func (s *Emergencies) Fanout(ctx context.Context) (desk.Fanout, bool, error) {
	return s.affected.LatestFanout(ctx)
}

// scheduleStore holds the emergency schedule.
type scheduleStore interface {
	// ScheduleTx runs fn in a transaction during which nothing is accepted and no step is taken, and commits it if fn returns
	// nil. It runs fn again in another one if a lock could not be acquired, and returns an Unavailable fault if that takes too
	// long.
	ScheduleTx(ctx context.Context, doing string, fn func(ScheduleTx) error) error
}

// ScheduleTx is the transaction of one change of the emergency schedule. Each change is logged with the person who made it.
type ScheduleTx interface {
	// Next returns the first whole second that no acceptance and no step has used. A change takes effect then or later.
	Next() time.Time
	// DeclaredBefore returns the emergency that a person declared with a key and the fingerprint of that request; an empty ID if
	// there is none.
	DeclaredBefore(ctx context.Context, by ticket.PersonID, key string) (id ticket.EmergencyID, fingerprint []byte, err error)
	// CountUnended returns the number of emergencies that are in force or planned.
	CountUnended(context.Context) (int, error)
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
		lasting, err := tx.CountUnended(ctx)
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
		if err != nil || after.Same(before) {
			return before, err
		}
		if !after.Cancelled.IsZero() {
			return tx.UpdateEmergency(ctx, by.ID, after, desk.ActionCancelled)
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

// noticeReader reads the emergencies whose notices are shown.
type noticeReader interface {
	// Notices returns the emergencies in force or planned. It is cheap, since every page and every mail needs them.
	Notices(context.Context) ([]desk.Emergency, error)
	// Emergencies returns all emergencies, past ones included.
	Emergencies(context.Context) ([]desk.Emergency, error)
}

// NoticeBoard provides the notices that every page shows. While the store is unavailable it uses what it read last.
type NoticeBoard struct {
	source noticeReader
	last   atomic.Pointer[[]desk.Emergency]
}

// NewNoticeBoard returns a NoticeBoard over a store.
func NewNoticeBoard(source noticeReader) *NoticeBoard { return &NoticeBoard{source: source} }

// Notices returns the current notices. It returns an error only if the store has been unavailable from the start.
func (b *NoticeBoard) Notices(ctx context.Context) ([]desk.Notice, error) {
	all, err := b.source.Notices(ctx)
	if err == nil {
		b.last.Store(&all)
	} else if known := b.last.Load(); known != nil {
		all = *known
	} else {
		return nil, err
	}
	return desk.NoticesAt(all, time.Now()), nil
}

// Named returns all emergencies by ID.
func (b *NoticeBoard) Named(ctx context.Context) (map[ticket.EmergencyID]desk.Emergency, error) {
	all, err := b.source.Emergencies(ctx)
	if err != nil {
		return nil, err
	}
	named := make(map[ticket.EmergencyID]desk.Emergency, len(all))
	for _, e := range all {
		named[e.ID] = e
	}
	return named, nil
}

// Past returns the emergencies that ended at an instant or later, latest end first.
func (b *NoticeBoard) Past(ctx context.Context, since time.Time) ([]desk.Emergency, error) {
	all, err := b.source.Emergencies(ctx)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	past := slices.DeleteFunc(slices.Clone(all), func(e desk.Emergency) bool {
		return e.Stage(now) != desk.StageOver || e.Until.Before(since)
	})
	slices.SortStableFunc(past, func(a, b desk.Emergency) int { return b.Until.Compare(a.Until) })
	return past, nil
}
