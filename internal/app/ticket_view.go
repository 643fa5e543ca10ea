package app

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// view returns the view of a record. A ticket before its first step, or behind the emergency schedule, is shown in the state
// after its next step, which the pure domain can compute.
func (s *Tickets) view(ctx context.Context, r desk.Record) (desk.View, error) {
	p, err := s.terms.Policy(ctx, r.Policy)
	if err != nil {
		return desk.View{}, err
	}
	v := desk.View{Record: r, Policy: p}
	schedule, err := s.terms.ScheduleSince(ctx, r.Schedule)
	if err != nil {
		return desk.View{}, err
	}
	if r.State != nil && !r.State.Ticket.InEmergency() && !behind(r.State.Ticket, schedule) {
		v.Ticket, v.Next = r.State.Ticket, r.State.Next
		return v, nil
	}
	return project(v, ticket.Environment{Policy: p, Schedule: schedule})
}

// behind reports whether a past transition of the emergency schedule has not been applied to the ticket yet.
func behind(t ticket.Ticket, schedule ticket.EmergencySchedule) bool {
	next, ok := ticket.NextTransition(t, schedule)
	return ok && !next.At.After(time.Now())
}

// project completes the view of a ticket in an emergency, behind the emergency schedule or before its first step.
func project(v desk.View, under ticket.Environment) (_ desk.View, err error) {
	if v.State != nil && !behind(v.State.Ticket, under.Schedule) {
		v.Ticket, v.Next = v.State.Ticket, v.State.Next
	} else {
		if v.State == nil {
			v.Ticket, err = afterFirstStep(v.Record, under)
		} else {
			v.Ticket, err = afterTransitions(v.State.Ticket, under)
		}
		if err != nil {
			return desk.View{}, err
		}
		v.Next, _ = ticket.Next(v.Ticket, v.Policy)
	}
	if v.Expected, err = ticket.Expected(v.Ticket, under); err != nil {
		return desk.View{}, err
	}
	v.ResumesAt, err = ticket.ResumesAt(v.Ticket, under)
	return v, err
}

// afterFirstStep returns the ticket after its first step.
func afterFirstStep(r desk.Record, under ticket.Environment) (ticket.Ticket, error) {
	first, err := ticket.Decide(ticket.Draft(r.Number, r.Requester.ID, r.Policy, under.Policy), under, r.Submission)
	if err != nil {
		return ticket.Ticket{}, err
	}
	return afterTransitions(first.Ticket, under)
}

// afterTransitions returns the ticket after the schedule's transitions up to now.
func afterTransitions(t ticket.Ticket, under ticket.Environment) (ticket.Ticket, error) {
	now, err := ticket.ApplyTransitions(t, under, time.Now().UTC().Truncate(time.Second))
	return now.Ticket, err
}

// DeadlinesIfSubmitted returns the promises of a ticket of normal priority that is submitted at an instant, under a policy and the
// emergency schedule.
func (s *Tickets) DeadlinesIfSubmitted(ctx context.Context, p *policy.Policy, at time.Time) (desk.Promised, error) {
	schedule, err := s.terms.Schedule(ctx)
	if err != nil {
		return desk.Promised{}, err
	}
	under := ticket.Environment{Policy: p, Schedule: schedule}
	taken, err := ticket.Decide(ticket.Draft("", "", 0, p), under, ticket.Command{
		Seq: 1, Verb: ticket.VerbSubmit, By: ticket.Actor{Role: ticket.RoleCustomer}, At: at.UTC().Truncate(time.Second),
		Priority: policy.PriorityNormal, Category: p.Categories[0],
	})
	if err != nil {
		return desk.Promised{}, err
	}
	expected, err := ticket.Expected(taken.Ticket, under)
	if err != nil {
		return desk.Promised{}, err
	}
	resumesAt, err := ticket.ResumesAt(taken.Ticket, under)
	return desk.PromisedOf(taken.Ticket, expected, resumesAt), err
}

// receipt returns the receipt of an accepted submission. The schedule may have changed since, but only for later instants.
func (s *Tickets) receipt(ctx context.Context, by desk.Person, a desk.Accepted, p *policy.Policy) (desk.Receipt, error) {
	schedule, err := s.scheduleOf(ctx, a)
	if err != nil {
		return desk.Receipt{}, err
	}
	under := ticket.Environment{Policy: p, Schedule: schedule}
	first, err := ticket.Decide(ticket.Draft(a.Number, by.ID, a.Policy, p), under, ticket.Command{
		Seq: 1, Verb: ticket.VerbSubmit, By: ticket.Actor{ID: by.ID, Role: ticket.RoleCustomer}, At: a.At,
		Priority: a.Priority, Category: a.Category,
	})
	if err != nil {
		return desk.Receipt{}, err
	}
	r := desk.Receipt{Accepted: a, Emergencies: schedule.ActiveAt(a.At)}
	r.Promises.FirstResponse, _ = first.Ticket.FirstResponse.Clock.Due()
	r.Promises.Resolution, _ = first.Ticket.Resolution.Clock.Due()
	if r.Expected, err = ticket.Expected(first.Ticket, under); err != nil {
		return desk.Receipt{}, err
	}
	r.ResumesAt, err = ticket.ResumesAt(first.Ticket, under)
	return r, err
}

// scheduleOf returns the emergency schedule that a submission was accepted under.
func (s *Tickets) scheduleOf(ctx context.Context, a desk.Accepted) (ticket.EmergencySchedule, error) {
	if a.Again { // the revision is not stored
		return s.terms.Schedule(ctx)
	}
	return s.terms.ScheduleSince(ctx, a.Schedule)
}

// publicEntries returns the entries of a timeline that a customer may see. It removes the names of supervisors who moved the
// ticket to another policy version, since only their role is public.
// It leaves out what others of the ticket alone may see, and the viewer's own refused commands from before they last joined.
func publicEntries(all []desk.Entry, viewer ticket.PersonID) []desk.Entry {
	listed := ticket.Listed(viewer, eventsOf(all))
	shown := make([]desk.Entry, 0, len(all))
	for i, e := range all {
		if e.Internal || !listed[i] {
			continue
		}
		e.N, e.Incoming, e.Sender = len(shown)+1, 0, ""
		if e.Kind == ticket.EventPolicyAdopted {
			e.By.ID, e.Author = "", desk.Ref{}
		}
		shown = append(shown, e)
	}
	return shown
}

// identify replaces contacts in entries by the people as whom they are known by now.
func identify(shown []desk.Entry, merges []ticket.Event) {
	for i := range shown {
		shown[i].Event = shown[i].Identified(merges)
	}
}

func eventsOf(entries []desk.Entry) []ticket.Event {
	events := make([]ticket.Event, len(entries))
	for i := range entries {
		events[i] = entries[i].Event
	}
	return events
}
