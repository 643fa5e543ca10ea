package app

import (
	"context"
	"fmt"
	"slices"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// write records the changes of the step.
func (s *step) write(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	c := StepChanges{Known: r.Mails, Was: s.was, Now: s.now, Latest: s.now, Unpark: s.current && s.Parked != nil}
	for _, h := range r.Manual {
		c.Manual = append(c.Manual, h.Key)
	}
	if c.Unpark {
		s.Parked = nil
	}
	if s.Last > s.before {
		c.Last = s.Last
	}
	if s.Desk.Schedule.HasTransition(s.Passed, s.transitionsUntil) {
		c.Passed = s.transitionsUntil
	}
	if len(s.events) > 0 { // every command has one, since a refusal is an event
		if err := s.changes(ctx, &c); err != nil {
			return ticket.StepResult{}, err
		}
	} else {
		s.show()
	}
	c.State = s.State
	written, err := s.tx.Write(ctx, c)
	if err != nil {
		return ticket.StepResult{}, err
	}
	digest := s.State.Digest()
	digest.Parked = s.Parked
	return ticket.StepResult{
		Outcomes: outcomeLines(s.decisions), Digest: digest, Owed: written.Owed, Pending: s.Last, Manual: written.Manual,
	}, nil
}

// outcomeLines returns a line for each of the first decisions.
func outcomeLines(decisions []Decision) (lines []string) {
	for _, d := range decisions[:min(len(decisions), ticket.MaxOutcomes)] {
		lines = append(lines, d.Outcome.Line(d.Verb))
	}
	return lines
}

// show completes a state stored before State.Shown was introduced, so that the step of an old ticket returns what that of
// a new one does. The row is updated with the next event.
func (s *step) show() {
	if s.State.SearchFields == nil && s.State.Command > 0 {
		s.State = ticket.NewState(s.State.Ticket, s.Desk.Policy, s.State.Command, s.State.Mails, s.now)
	}
}

// changes completes c with everything that follows from events.
func (s *step) changes(ctx context.Context, c *StepChanges) error {
	for i, e := range s.events {
		if e.N != s.was.Ticket.Events+i+1 {
			return fmt.Errorf("event %d follows event %d", e.N, s.was.Ticket.Events+i)
		}
	}
	mails, err := address(ctx, s.tx, s.mails)
	if err != nil {
		return err
	}
	for i := range mails {
		m := &mails[i]
		m.N = s.was.Mails + i + 1
		if m.Resends > 0 {
			m.Command = s.events[m.Event-s.was.Ticket.Events-1].Command
		}
	}
	for i, call := range s.calls {
		c.Calls = append(c.Calls, Call{call, s.was.Mails + len(mails) + i + 1})
	}
	s.State = ticket.NewState(s.State.Ticket, s.Desk.Policy, s.State.Command, s.State.Mails+len(mails)+len(s.calls), s.now)
	c.Events, c.Mails, c.Failures, c.Decisions = s.events, mails, s.failures, s.decisions
	c.Last, c.Latest, c.Passed = s.Last, s.events[len(s.events)-1].At, s.transitionsUntil
	c.Shown = slices.ContainsFunc(s.events, func(e ticket.Event) bool { return e.ShownTo(s.State.Ticket.Requester) })
	c.Promises = promiseRecords(s.was.Ticket, s.State.Ticket, s.events, s.Desk.Policy.Calendar)
	c.Turns = turns(s.events)
	return nil
}

// turns returns whom rules chose from groups, in order.
func turns(events []ticket.Event) (all []RotationTurn) {
	for _, e := range events {
		if e.Kind == ticket.EventAssigned && e.Group != "" {
			all = append(all, RotationTurn{e.Group, e.Assignee})
		}
	}
	return all
}

// promiseRecords returns the SLA records that events change.
func promiseRecords(was, is ticket.Ticket, events []ticket.Event, calendar *policy.Calendar) (all []PromiseRecord) {
	for _, name := range policy.ClockNames() {
		before, _ := ticket.RecordSLA(was, nil, name)
		now, settled := ticket.RecordSLA(was, events, name)
		redecided := before.SLAStatus != ticket.SLAPending && !settled
		if was.Events > 0 && !redecided && now == before {
			continue
		}
		r := PromiseRecord{SLARecord: now, Clock: name, Settled: settled}
		if !r.MetAt.IsZero() {
			taken, counted := r.MetAt.Sub(is.Submitted), is.Promise(name).Clock.Used(calendar, r.MetAt)
			r.Taken, r.Counted = &taken, &counted
		}
		all = append(all, r)
	}
	return all
}
