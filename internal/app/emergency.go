package app

import (
	"context"
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
	// Postbag counts the mails of an emergency's announcements.
	Postbag(context.Context, ticket.EmergencyID) (desk.DeliveryCounts, error)
}

// affectedReader reads the tickets that an emergency affects, and the progress of fan-outs.
type affectedReader interface {
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	// Census counts the affected tickets and their requesters. It counts only requesters with a ticket submitted before an
	// instant, or all if that is zero.
	Census(ctx context.Context, before time.Time) (desk.AffectedCount, error)
	// OwedTickets returns tickets that are neither resolved nor closed, by number.
	OwedTickets(ctx context.Context, after ticket.Number, limit int) ([]desk.OpenTicket, error)
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
		f.Mails, err = s.reader.Postbag(ctx, id)
	}
	return f, err
}

// Fanout returns the progress of the last fan-out, and false if there was none.
func (s *Emergencies) Fanout(ctx context.Context) (desk.Fanout, bool, error) {
	return s.affected.LatestFanout(ctx)
}
