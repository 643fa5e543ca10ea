package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// emergencyChanger changes the emergency schedule: each change takes effect at a whole second, and is recorded with the
// person who made it. The zero person stands for Temporal UI.
type emergencyChanger interface {
	DeclareEmergency(context.Context, desk.Person, desk.EmergencyPlan) (desk.Emergency, error)
	ChangeEmergency(context.Context, desk.Person, ticket.EmergencyID, desk.EmergencyChange) (desk.Emergency, error)
	EndEmergency(context.Context, desk.Person, ticket.EmergencyID) (desk.Emergency, error)
}

// emergencyReader reads the emergencies, with what was done about each.
type emergencyReader interface {
	Emergency(context.Context, ticket.EmergencyID) (desk.Emergency, error)
	Emergencies(context.Context) ([]desk.Emergency, error)
	EmergencyChanges(context.Context, ticket.EmergencyID) ([]desk.EmergencyEdit, error)
	// Notices returns those in force or planned.
	Notices(context.Context) ([]desk.Emergency, error)
	// Postbag counts the mails of an emergency's announcements.
	Postbag(context.Context, ticket.EmergencyID) (desk.DeliveryCounts, error)
}

// affectedReader reads the tickets that an emergency affects, and how far they have been notified.
type affectedReader interface {
	Schedule(context.Context) (ticket.EmergencySchedule, error)
	// Census counts them. People who are mailed are counted by their tickets submitted before an instant, zero: by all.
	Census(ctx context.Context, before time.Time) (desk.AffectedCount, error)
	OwedTickets(ctx context.Context, after ticket.Number, limit int) ([]desk.OpenTicket, error)
	LatestFanout(context.Context) (desk.Fanout, bool, error)
	// MeasuredFanout returns the last fan-out to at least so many tickets that was proven.
	MeasuredFanout(ctx context.Context, least int) (desk.Fanout, bool, error)
}

// Emergencies is how supervisors declare, change and end emergencies, after a dry run if they want one, and watch how far
// the open tickets have been notified.
type Emergencies struct {
	changer  emergencyChanger
	reader   emergencyReader
	affected affectedReader
	policies publishedPolicies
	notifier waker
	dryRuns  chan struct{} // a semaphore of maxDryRuns
}

// NewEmergencies returns the service on a store. It wakes the notifier after each change of the schedule.
func NewEmergencies(c emergencyChanger, r emergencyReader, a affectedReader, p publishedPolicies, notifier waker) *Emergencies {
	return &Emergencies{changer: c, reader: r, affected: a, policies: p, notifier: notifier, dryRuns: make(chan struct{}, maxDryRuns)}
}

// Declare declares one. From its return on it holds for every ticket, whether or not its workflow has been notified.
func (s *Emergencies) Declare(ctx context.Context, by desk.Person, p desk.EmergencyPlan) (desk.Emergency, error) {
	return s.command(by, func() (desk.Emergency, error) { return s.changer.DeclareEmergency(ctx, by, p) })
}

// Change changes an emergency from now on.
func (s *Emergencies) Change(ctx context.Context, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.Emergency, error) {
	return s.command(by, func() (desk.Emergency, error) { return s.changer.ChangeEmergency(ctx, by, id, c) })
}

// End lifts an active emergency or cancels a planned one.
func (s *Emergencies) End(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.Emergency, error) {
	return s.command(by, func() (desk.Emergency, error) { return s.changer.EndEmergency(ctx, by, id) })
}

// command runs a change for those who may make it. Changes from Temporal UI come by ManualEmergencies.
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

// List returns every emergency, the one declared last first.
func (s *Emergencies) List(ctx context.Context, by desk.Person) ([]desk.Emergency, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return nil, err
	}
	return s.reader.Emergencies(ctx)
}

// Current returns those in force or planned, the earliest first.
func (s *Emergencies) Current(ctx context.Context) ([]desk.Emergency, error) {
	return s.reader.Notices(ctx)
}

// File returns everything about one.
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

// Fanout returns how far the open tickets have been notified of the schedule's last transition, and false without one.
func (s *Emergencies) Fanout(ctx context.Context) (desk.Fanout, bool, error) {
	return s.affected.LatestFanout(ctx)
}
