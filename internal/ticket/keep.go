package ticket

import (
	"fmt"
	"strings"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// Keep is the state that a workflow is handed after a step: the ticket, how far commands and mails have got, and
// the next moment with a label that says what is left at this instant.
func Keep(t Ticket, p *policy.Policy, command int64, mails int, now time.Time) State {
	s := State{Ticket: t, Command: command, Mails: mails, Rung: t.Rung(), Paused: t.Paused(), Shown: t.shown()}
	if next, ok := Next(t, p); ok {
		next.Label = label(t, p, next, now)
		s.Next = next
	}
	return s
}

func label(t Ticket, p *policy.Policy, m Moment, now time.Time) string {
	when := wallClock(m.Due.In(p.Zone))
	name := strings.ReplaceAll(string(m.Clock), "_", " ")
	switch m.Kind {
	case MomentRemind:
		return fmt.Sprintf("reminder of the %s %s%s", name, when, left(t, p, m.Clock, now))
	case MomentBreach:
		return fmt.Sprintf("%s due %s%s", name, when, left(t, p, m.Clock, now))
	case MomentRung:
		return fmt.Sprintf("escalation step %d for the overdue %s %s", m.Rung, name, when)
	case MomentNudge:
		return "nudge the requester " + when
	case MomentResolve:
		return "resolve by silence " + when
	case MomentWake:
		return "wake from being snoozed " + when
	default:
		return "close by silence " + when
	}
}

// wallClock shows seconds only where there are some: promises of seconds are for trying things out.
func wallClock(local time.Time) string {
	if local.Second() != 0 {
		return local.Format("Mon 2 Jan 15:04:05 MST")
	}
	return local.Format("Mon 2 Jan 15:04 MST")
}

// left says how much of a budget remains, in the unit that it is counted in.
func left(t Ticket, p *policy.Policy, name policy.ClockName, now time.Time) string {
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
