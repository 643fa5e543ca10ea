package app

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// write records the changes of the step.
func (s *step) write(ctx context.Context, r ticket.StepRequest) (ticket.StepResult, error) {
	c := StepChanges{Known: r.LastDelivery, Was: s.was, Now: s.now, Latest: s.now, Unpark: s.current && s.Parked != nil}
	for _, h := range r.Manual {
		c.Manual = append(c.Manual, h.Key)
	}
	if c.Unpark {
		s.Parked = nil
	}
	if s.Last > s.before {
		c.Last = s.Last
	}
	if s.Env.Schedule.HasTransition(s.Passed, s.transitionsUntil) {
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
	if s.held && !digest.Next.Due.IsZero() && digest.Next.Due.Before(s.now.Add(mailPause)) {
		digest.Next.Due = s.now.Add(mailPause)
	}
	return ticket.StepResult{
		Outcomes: outcomeLines(s.decisions), Digest: digest, Owed: written.Owed, LastCommand: s.Last, Manual: written.Manual,
	}, nil
}

// mailPause is the pause before the next attempt to fire what an incoming mail holds up.
const mailPause = 30 * time.Second

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
		s.State = ticket.NewState(s.State.Ticket, s.Env.Policy, s.State.Command, s.State.LastDelivery, s.now)
	}
}

// changes completes c with everything that follows from events.
func (s *step) changes(ctx context.Context, c *StepChanges) error {
	for i, e := range s.events {
		if e.N != s.was.Ticket.Events+i+1 {
			return fmt.Errorf("event %d follows event %d", e.N, s.was.Ticket.Events+i)
		}
	}
	mails, err := address(ctx, s.tx, s.mails, s.enabled)
	if err != nil {
		return err
	}
	for i := range mails {
		m := &mails[i]
		m.N = s.was.LastDelivery + i + 1
		if m.Resends > 0 {
			m.Command = s.events[m.Event-s.was.Ticket.Events-1].Command
		}
	}
	for i, call := range s.calls {
		c.Calls = append(c.Calls, Call{call, s.was.LastDelivery + len(mails) + i + 1})
	}
	s.State = ticket.NewState(s.State.Ticket, s.Env.Policy, s.State.Command, s.State.LastDelivery+len(mails)+len(s.calls), s.now)
	c.Events, c.Mails, c.Failures, c.Decisions = s.events, mails, s.failures, s.decisions
	c.Last, c.Latest, c.Passed = s.Last, s.events[len(s.events)-1].At, s.transitionsUntil
	c.Shown = slices.ContainsFunc(s.events, func(e ticket.Event) bool {
		return e.ShownTo(s.State.Ticket.Requester) || slices.ContainsFunc(s.State.Ticket.Participants, func(p ticket.Participant) bool { return e.ShownTo(p.ID) })
	})
	c.Promises = promiseRecords(s.was.Ticket, s.State.Ticket, s.events, s.Env.Policy.Calendar)
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

// address resolves audiences and handles to people. Mails to disabled staff go to the supervisors instead, and mails to
// disabled customers are dropped. An event owes each person one mail, however many of its audiences they are in. enabled is
// someone who is known not to be disabled, or empty.
func address(ctx context.Context, reader recipientReader, mails []ticket.Mail, enabled ticket.PersonID) ([]Mail, error) {
	if len(mails) == 0 {
		return nil, nil
	}
	d, err := readDirectory(ctx, reader, mails, enabled)
	if err != nil {
		return nil, err
	}
	var owed []Mail
	for _, m := range mails {
		owed = append(owed, d.address(m)...)
	}
	return onePerRecipient(owed), nil
}

// onePerRecipient keeps one mail per person and event. A person who is a recipient in their own right does not stand in
// for someone else.
func onePerRecipient(owed []Mail) []Mail {
	type recipient struct {
		event  int
		person ticket.PersonID
	}
	at := map[recipient]int{}
	var kept []Mail
	for _, m := range owed {
		to := recipient{m.Event, m.Person}
		if i, again := at[to]; again {
			if m.StandsFor == "" {
				kept[i].StandsFor = ""
			}
			continue
		}
		at[to] = len(kept)
		kept = append(kept, m)
	}
	return kept
}

// directory holds the people needed to address some mails.
type directory struct {
	disabled  map[ticket.PersonID]Disabled
	handles   map[string]ticket.PersonID // of staff who are not disabled; in lower case
	audiences map[policy.Audience][]ticket.PersonID
}

// readDirectory reads only what the mails need. Most steps owe one mail, to the requester, who is known not to be disabled.
func readDirectory(ctx context.Context, reader recipientReader, mails []ticket.Mail, enabled ticket.PersonID) (d directory, err error) {
	var people []ticket.PersonID
	var handles []string
	audiences := false
	for _, m := range mails {
		switch {
		case m.Audience != "":
			audiences = true
		case m.Named != "":
			audiences, handles = true, append(handles, m.Named)
		case m.Person != enabled:
			people = append(people, m.Person)
		}
	}
	if len(people) > 0 {
		if d.disabled, err = reader.Disabled(ctx, people); err != nil {
			return d, err
		}
		for _, gone := range d.disabled {
			audiences = audiences || gone.Role.Staff()
		}
	}
	if !audiences {
		return d, nil
	}
	d.audiences = map[policy.Audience][]ticket.PersonID{}
	for _, a := range []policy.Audience{policy.NotifySupervisors, policy.NotifyAdministrators} {
		if d.audiences[a], err = reader.Audience(ctx, a); err != nil {
			return d, err
		}
	}
	if len(handles) > 0 {
		d.handles, err = reader.StaffByHandle(ctx, handles)
	}
	return d, err
}

// address returns one mail for each recipient.
func (d directory) address(m ticket.Mail) []Mail {
	switch {
	case m.Audience != "":
		return to(m, "", d.audience(m.Audience))
	case m.Named != "":
		if person, known := d.handles[strings.ToLower(m.Named)]; known {
			return to(m, "", []ticket.PersonID{person})
		}
		return to(m, m.Named, d.audience(policy.NotifySupervisors))
	}
	switch gone, disabled := d.disabled[m.Person]; {
	case !disabled:
		return to(m, "", []ticket.PersonID{m.Person})
	case gone.Role.Staff():
		return to(m, gone.Handle, d.audience(policy.NotifySupervisors))
	default:
		return nil
	}
}

func to(m ticket.Mail, standsFor string, people []ticket.PersonID) []Mail {
	var all []Mail
	for _, person := range people {
		m.Person, m.Audience, m.Named = person, "", ""
		all = append(all, Mail{Mail: m, StandsFor: standsFor})
	}
	return all
}

// audience returns the people of an audience. Without supervisors it returns the administrators, and the reverse, since an
// escalation that reaches no one would be lost.
func (d directory) audience(a policy.Audience) []ticket.PersonID {
	if people := d.audiences[a]; len(people) > 0 {
		return people
	}
	if a == policy.NotifyAdministrators {
		return d.audiences[policy.NotifySupervisors]
	}
	return d.audiences[policy.NotifyAdministrators]
}
