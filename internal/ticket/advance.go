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
func (s *decider) advance(until time.Time) {
	var fired DueEvent
	for s.err == nil {
		s.applyTransitions(until)
		m, ok := Next(s.t, s.desk.Policy)
		if !ok || m.Due.After(until) {
			return
		}
		if m.Same(fired) {
			s.err = fmt.Errorf("%s %s %d at %s falls due for ever", m.Kind, m.Clock, m.EscalationStep, m.Due)
			return
		}
		fired = m
		s.begin(deskActor, m.Due, 0)
		before := len(s.events)
		s.fire(m)
		s.wakeAfter(s.events[before:])
	}
}

func (s *decider) fire(m DueEvent) {
	switch m.Kind {
	case DueReminder:
		s.emit(Event{Kind: EventReminded, Promise: m.Clock})
		s.notifyAssignee(MailReminder, m)
	case DueBreach:
		s.emit(Event{Kind: EventBreached, Promise: m.Clock})
		s.reassign(m.Clock)
	case DueEscalation:
		s.escalate(m)
	case DueNudge:
		s.emit(Event{Kind: EventNudged, Asks: !s.desk.Unmailed})
		s.mail(MailNudge, s.t.Requester)
	case DueResolve:
		s.emitResolved(CauseSilence, 0)
	case DueClose:
		s.emitClosed(CauseSilence)
	case DueWake:
		s.emit(Event{Kind: EventWoke})
	}
}

// escalate fires one escalation step: it notifies whom the policy names and raises the priority if the policy says so.
func (s *decider) escalate(m DueEvent) {
	rung := s.desk.Policy.Escalation[m.EscalationStep-1]
	e := Event{Kind: EventEscalated, Promise: m.Clock, EscalationStep: m.EscalationStep}
	if raised := s.t.Priority.Next(); rung.RaisePriority && raised != s.t.Priority {
		l := s.ledger()
		l.retarget(raised)
		e.Priority, e.Clocks = raised, l.entries
	}
	s.emit(e)
	s.notifyAll(rung, m)
}

// notifyAssignee sends a mail to the assignee, or to the supervisors if the ticket is unassigned.
func (s *decider) notifyAssignee(kind MailKind, m DueEvent) {
	if s.t.Assignee == "" {
		s.notify(kind, policy.NotifySupervisors, m)
		return
	}
	s.notify(kind, policy.NotifyAssignee, m)
}

func (s *decider) notify(kind MailKind, audience policy.Audience, m DueEvent) {
	mail := Mail{Kind: kind, Event: s.t.Events, Clock: m.Clock, EscalationStep: m.EscalationStep}
	if audience != policy.NotifyAssignee {
		mail.Audience = audience
	} else if mail.Person = s.t.Assignee; mail.Person == "" {
		return
	}
	s.mails = append(s.mails, mail)
}
