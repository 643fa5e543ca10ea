package ticket

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// advance fires every event due at or before an instant and applies every transition up to it, in order of time.
// Transitions come first, so an event due at an emergency's first instant falls into it. advance ends because each due
// event, once fired, changes the state so that it is not due again. If a defect makes one due again, the step fails
// rather than loop for ever.
func (s *story) advance(until time.Time) {
	var fired Moment
	for s.err == nil {
		s.weave(until)
		m, ok := Next(s.t, s.desk.Policy)
		if !ok || m.Due.After(until) {
			return
		}
		if m.Same(fired) {
			s.err = fmt.Errorf("%s %s %d at %s falls due for ever", m.Kind, m.Clock, m.Rung, m.Due)
			return
		}
		fired = m
		s.begin(theDesk, m.Due, 0)
		before := len(s.events)
		s.fire(m)
		s.wakeAfter(s.events[before:])
	}
}

func (s *story) fire(m Moment) {
	switch m.Kind {
	case MomentRemind:
		s.emit(Event{Kind: EventReminded, Promise: m.Clock})
		s.mailOwner(MailReminder, m)
	case MomentBreach:
		s.emit(Event{Kind: EventBreached, Promise: m.Clock})
		s.reassign(m.Clock)
	case MomentRung:
		s.climb(m)
	case MomentNudge:
		s.emit(Event{Kind: EventNudged, Asks: !s.desk.Unmailed})
		s.mail(MailNudge, s.t.Requester)
	case MomentResolve:
		s.emitResolved(CauseSilence, 0)
	case MomentClose:
		s.emitClosed(CauseSilence)
	case MomentWake:
		s.emit(Event{Kind: EventWoke})
	}
}

// climb fires one escalation step: it notifies whom the policy names and raises the priority if the policy says so.
func (s *story) climb(m Moment) {
	rung := s.desk.Policy.Escalation[m.Rung-1]
	e := Event{Kind: EventEscalated, Promise: m.Clock, Rung: m.Rung}
	if raised := s.t.Priority.Raised(); rung.RaisePriority && raised != s.t.Priority {
		l := s.ledger()
		l.retarget(raised)
		e.Priority, e.Clocks = raised, l.entries
	}
	s.emit(e)
	s.tellAll(rung, m)
}

// mailOwner sends a mail to the assignee, or to the supervisors if the ticket is unassigned.
func (s *story) mailOwner(kind MailKind, m Moment) {
	if s.t.Assignee == "" {
		s.tell(kind, policy.TellSupervisors, m)
		return
	}
	s.tell(kind, policy.TellAssignee, m)
}

func (s *story) tell(kind MailKind, audience policy.Audience, m Moment) {
	mail := Mail{Kind: kind, Event: s.t.Events, Clock: m.Clock, Rung: m.Rung}
	if audience != policy.TellAssignee {
		mail.Audience = audience
	} else if mail.Person = s.t.Assignee; mail.Person == "" {
		return
	}
	s.mails = append(s.mails, mail)
}
