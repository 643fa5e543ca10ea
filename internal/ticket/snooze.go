package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// maxSnooze limits how long a ticket can be snoozed. A later time is most likely a mistake, and would hide the ticket
// permanently.
const maxSnooze = 366 * 24 * time.Hour

// snooze snoozes the ticket until a given time: it is not listed in agents' queues, but its clocks go on. For a snoozed
// ticket it changes that time.
func (s *decider) snooze(c Command) *fault.Error {
	until := c.Until.UTC().Truncate(time.Second)
	switch {
	case !until.After(c.At) || until.After(c.At.Add(maxSnooze)):
		return fault.NewConflict(CodeMalformed, "choose a time in the future, at most a year from now")
	case until.Equal(s.t.SnoozedUntil):
		return fault.NewConflict(CodeNothing, "the ticket is snoozed until then already")
	}
	s.emit(Event{Kind: EventSnoozed, Until: until})
	return nil
}

// wake ends the snooze of a ticket. It is a separate verb rather than a snooze until now, so that snooze can refuse a
// time in the past as a mistake.
func (s *decider) wake(Command) *fault.Error {
	if s.t.SnoozedUntil.IsZero() {
		return fault.NewConflict(CodeNothing, "the ticket is not snoozed")
	}
	s.emit(Event{Kind: EventWoke})
	return nil
}

// wakeAfter ends the snooze of the ticket if one of the latest events wakes it.
func (s *decider) wakeAfter(events []Event) {
	if !s.t.SnoozedUntil.IsZero() && slices.ContainsFunc(events, Event.wakes) {
		s.emit(Event{Kind: EventWoke})
	}
}

// wakes reports whether an event wakes a snoozed ticket: a message of the requester, a resolution (again, if
// its mail bounced and is sent anew), or a reopening. Messages of staff and assignments don't.
func (e Event) wakes() bool {
	switch e.Kind {
	case EventCustomerReplied, EventResolved, EventReopened, EventHandedBack:
		return true
	case EventMailResent:
		return e.Status == StatusResolved
	default:
		return false
	}
}

// applySnooze sets or clears the end of the snooze.
func (t *Ticket) applySnooze(e Event) {
	switch e.Kind {
	case EventSnoozed:
		t.SnoozedUntil = e.Until
	case EventWoke, EventClosed:
		t.SnoozedUntil = time.Time{}
	}
}
