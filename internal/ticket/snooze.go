package ticket

import (
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// longestSnooze is as far ahead as anybody plans; a later instant is a slip of the pen, and would hide the ticket for good.
const longestSnooze = 366 * 24 * time.Hour

// snooze lets the ticket sleep until an instant: it leaves the lists that agents work from, while its promises go on. To
// snooze a sleeping ticket moves the instant.
func (s *decider) snooze(c Command) *fault.Error {
	until := c.Until.UTC().Truncate(time.Second)
	switch {
	case !until.After(c.At) || until.After(c.At.Add(longestSnooze)):
		return fault.NewConflict(CodeMalformed, "a ticket sleeps until an instant in the future, a year ahead at most")
	case until.Equal(s.t.SnoozedUntil):
		return fault.NewConflict(CodeNothing, "the ticket is snoozed until then already")
	}
	s.emit(Event{Kind: EventSnoozed, Until: until})
	return nil
}

// wake is a verb of its own, and not a snooze until now: an instant in the past is then refused as the mistake that it is.
func (s *decider) wake(Command) *fault.Error {
	if s.t.SnoozedUntil.IsZero() {
		return fault.NewConflict(CodeNothing, "the ticket is not snoozed")
	}
	s.emit(Event{Kind: EventWoke})
	return nil
}

// wakeAfter ends a sleep that the latest events disturb.
func (s *decider) wakeAfter(events []Event) {
	if !s.t.SnoozedUntil.IsZero() && slices.ContainsFunc(events, Event.wakes) {
		s.emit(Event{Kind: EventWoke})
	}
}

// wakes reports whether an event brings a sleeping ticket back: the requester wrote, or it came to another status, but for
// what staff do and stay asleep for: to take it, or to ask the requester. Nor do other words of staff or a new assignee.
func (e Event) wakes() bool {
	switch e.Kind {
	case EventCustomerReplied, EventResolved, EventReopened, EventHandedBack:
		return true
	default:
		return false
	}
}

// applySnooze follows a sleep. One that the end of an emergency comes after ends with it, as nothing happens in one.
func (t *Ticket) applySnooze(e Event) {
	switch e.Kind {
	case EventSnoozed:
		t.SnoozedUntil = e.Until
	case EventWoke, EventClosed:
		t.SnoozedUntil = time.Time{}
	}
}
