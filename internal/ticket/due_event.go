package ticket

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// DueKind is a kind of due event.
type DueKind string

// The kinds of due events. Of several at one instant, those of the first response fire before those of the resolution,
// both before those of silence, and waking last; within each group they fire in this order.
const (
	DueReminder   DueKind = "remind"
	DueBreach     DueKind = "breach"
	DueEscalation DueKind = "escalation-step"
	DueNudge      DueKind = "nudge"
	DueResolve    DueKind = "resolve-by-silence"
	DueClose      DueKind = "close-by-silence"
	DueWake       DueKind = "wake"
)

// DueEvent is an event that fires at an instant unless something else happens first.
type DueEvent struct {
	Kind           DueKind          `json:"kind,omitempty"`
	Clock          policy.ClockName `json:"clock,omitempty"`           // reminders, breaches, escalation steps
	EscalationStep int              `json:"escalation_step,omitempty"` // number, from 1
	Due            time.Time        `json:"due,omitzero"`
	Label          string           `json:"label,omitempty"` // describes it to people in Temporal UI; set by NewState
}

// Same reports whether two due events are equal but for their labels.
func (m DueEvent) Same(other DueEvent) bool {
	return m.Kind == other.Kind && m.Clock == other.Clock && m.EscalationStep == other.EscalationStep && m.Due.Equal(other.Due)
}

// Next returns the ticket's next due event, and false if there is none: during an emergency, for a closed ticket, or when
// the policy provides for nothing more. A time in the past means that it is overdue.
func Next(t Ticket, p *policy.Policy) (DueEvent, bool) {
	return earliest(t, p, func(DueKind) bool { return true })
}

// NextForRequester returns the next due event that the requester may see: reminders, escalation steps and waking are
// internal to staff.
func NextForRequester(t Ticket, p *policy.Policy) (DueEvent, bool) {
	return earliest(t, p, func(kind DueKind) bool {
		return kind != DueReminder && kind != DueEscalation && kind != DueWake
	})
}

func earliest(t Ticket, p *policy.Policy, shown func(DueKind) bool) (DueEvent, bool) {
	var next DueEvent
	if t.InEmergency() || t.Closed() {
		return next, false
	}
	offer := func(kind DueKind, clock policy.ClockName, step int, due time.Time) {
		if due.Before(t.NotBefore) {
			due = t.NotBefore
		}
		if shown(kind) && (next.Kind == "" || due.Before(next.Due)) {
			next = DueEvent{Kind: kind, Clock: clock, EscalationStep: step, Due: due}
		}
	}
	for _, name := range policy.ClockNames() {
		t.offerPromise(name, p, offer)
	}
	t.offerSilence(p.Silence, offer)
	if !t.SnoozedUntil.IsZero() {
		offer(DueWake, "", 0, t.SnoozedUntil)
	}
	return next, next.Kind != ""
}

type offer func(kind DueKind, clock policy.ClockName, step int, due time.Time)

func (t *Ticket) offerPromise(name policy.ClockName, p *policy.Policy, offer offer) {
	promise := t.Promise(name)
	t.offerEscalation(name, p, offer)
	if promise.Clock.Met() || !promise.Clock.Running() || !promise.BreachedAt.IsZero() {
		return
	}
	if due, ok := promise.Clock.Due(); ok {
		at, reached := promise.Clock.ReachesAt(p.Calendar, p.Clocks[name].RemindAt)
		if reached && !promise.Reminded && p.Clocks[name].RemindAt > 0 && at.Before(due) {
			offer(DueReminder, name, 0, at)
		}
		offer(DueBreach, name, 0, due)
	}
}

func (t *Ticket) offerSilence(s policy.Silence, offer offer) {
	switch t.Status {
	case StatusWaiting:
		if due, ok := t.SilentUntil(s.NudgeAfter); ok && !t.Nudged {
			offer(DueNudge, "", 0, due)
		}
		if due, ok := t.SilentUntil(s.ResolveAfter); ok {
			offer(DueResolve, "", 0, due)
		}
	case StatusResolved:
		if due, ok := t.SilentUntil(s.CloseAfter); ok {
			offer(DueClose, "", 0, due)
		}
	}
}

func dueLabel(t Ticket, p *policy.Policy, m DueEvent, now time.Time) string {
	when := formatTime(m.Due.In(p.Zone))
	name := m.Clock.Words()
	switch m.Kind {
	case DueReminder:
		return fmt.Sprintf("%s reminder %s%s", name, when, remainingText(t, p, m.Clock, now))
	case DueBreach:
		return fmt.Sprintf("%s due %s%s", name, when, remainingText(t, p, m.Clock, now))
	case DueEscalation:
		return fmt.Sprintf("escalation step %d of the breached %s %s", m.EscalationStep, name, when)
	case DueNudge:
		return "nudge the requester " + when
	case DueResolve:
		return "resolve by silence " + when
	case DueWake:
		return "wake " + when
	default:
		return "close by silence " + when
	}
}

// formatTime shows seconds only if they are not zero. Targets of seconds are for trial runs.
func formatTime(local time.Time) string {
	if local.Second() != 0 {
		return local.Format("Mon 2 Jan 15:04:05 MST")
	}
	return local.Format("Mon 2 Jan 15:04 MST")
}

// remainingText describes how much of a promise's time remains, in the unit that it is counted in.
func remainingText(t Ticket, p *policy.Policy, name policy.ClockName, now time.Time) string {
	clock := t.Promise(name).Clock
	remaining := clock.Remaining(p.Calendar, now)
	if remaining <= 0 {
		return ""
	}
	unit := "calendar time"
	switch clock.Counts {
	case policy.CountBusinessHours:
		unit = "business hours"
	case policy.CountBusinessDays:
		unit = "business days"
	}
	return fmt.Sprintf(", %s of %s left", policy.FormatBudget(clock.Counts, remaining.Truncate(time.Second)), unit)
}

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
		s.emit(Event{Kind: EventNudged, Asks: !s.env.RequesterDisabled})
		s.mail(MailNudge, s.t.Requester)
	case DueResolve:
		s.emitResolved(CauseSilence, 0, "")
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
