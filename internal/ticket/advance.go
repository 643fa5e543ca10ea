package ticket

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// advance fires every moment that is due at or before an instant, and passes every edge of the gate up to it, in order
// and edges first: what is due at an emergency's first instant is in it. It ends because each moment, once fired,
// changes the state so that it is not offered again. Should a defect offer one again, the step fails: else it would
// fill the worker's memory.
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

// climb fires one rung of the ladder: it tells whom the policy says, and raises the priority where it says so.
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

// mailOwner reminds whoever holds the ticket, and the supervisors when nobody does.
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
