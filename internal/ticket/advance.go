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
		due, ok := Next(s.t, s.env.Policy)
		if !ok || due.Due.After(until) {
			return
		}
		if due.Same(fired) {
			s.err = fmt.Errorf("%s %s %d at %s falls due for ever", due.Kind, due.Clock, due.EscalationStep, due.Due)
			return
		}
		fired = due
		s.begin(deskActor, due.Due, 0)
		before := len(s.events)
		s.fire(due)
		s.wakeAfter(s.events[before:])
	}
}

func (s *decider) fire(due DueEvent) {
	switch due.Kind {
	case DueReminder:
		s.emit(Event{Kind: EventReminded, Promise: due.Clock})
		s.notifyAssignee(MailReminder, due)
	case DueBreach:
		s.emit(Event{Kind: EventBreached, Promise: due.Clock})
		s.reassign(due.Clock)
	case DueEscalation:
		s.escalate(due)
	case DueNudge:
		s.emit(Event{Kind: EventNudged, Asks: !s.env.Unmailed})
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
func (s *decider) escalate(due DueEvent) {
	step := s.env.Policy.Escalation[due.EscalationStep-1]
	e := Event{Kind: EventEscalated, Promise: due.Clock, EscalationStep: due.EscalationStep}
	if raised := s.t.Priority.Next(); step.RaisePriority && raised != s.t.Priority {
		l := s.ledger()
		l.retarget(raised)
		e.Priority, e.Clocks = raised, l.entries
	}
	s.emit(e)
	s.notifyAll(step, due)
}

// notifyAssignee sends a mail to the assignee, or to the supervisors if the ticket is unassigned.
func (s *decider) notifyAssignee(kind MailKind, due DueEvent) {
	if s.t.Assignee == "" {
		s.notify(kind, policy.NotifySupervisors, due)
		return
	}
	s.notify(kind, policy.NotifyAssignee, due)
}

func (s *decider) notify(kind MailKind, audience policy.Audience, due DueEvent) {
	mail := Mail{Kind: kind, Event: s.t.Events, Clock: due.Clock, EscalationStep: due.EscalationStep}
	if audience != policy.NotifyAssignee {
		mail.Audience = audience
	} else if mail.Person = s.t.Assignee; mail.Person == "" {
		return
	}
	s.mails = append(s.mails, mail)
}
