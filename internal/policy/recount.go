package policy

import (
	"fmt"
	"time"
)

// Recount tells the ledger entry by entry, each as it was recorded: what happened, what was used up by then, and the
// deadline from there on. Unlike Explain it needs no calendar, and so it is the same on every host, at any time; its
// instants are in UTC.
func (c Clock) Recount() []string {
	lines := make([]string, len(c.Ledger))
	for i, e := range c.Ledger {
		then := Clock{Counts: c.Counts, Ledger: c.Ledger[:i+1]}
		lines[i] = fmt.Sprintf("%s: %s; %s", inUTC(e.At), then.act(), then.standing())
	}
	return lines
}

// act tells what the last entry did.
func (c Clock) act() string {
	e := c.last()
	switch e.Act {
	case ActStarted:
		return "started with " + FormatBudget(c.Counts, e.By) + inWords(c.Counts)
	case ActPaused:
		return "paused, " + reasonsInWords([]Reason{e.Reason})
	case ActResumed:
		return "no longer paused for: " + reasonsInWords([]Reason{e.Reason})
	case ActExtended:
		return FormatBudget(c.Counts, e.By.Abs()) + extended(e.By)
	case ActRetargeted:
		return "the target is now " + FormatBudget(c.Counts, e.By)
	case ActSettled:
		return "done"
	default:
		return string(e.Act)
	}
}

// standing is where the last entry left the clock.
func (c Clock) standing() string {
	e := c.last()
	used := FormatBudget(c.Counts, e.Used) + " used, " + leftOf(c.Counts, c.Budget()-e.Used)
	switch {
	case c.Settled():
		return used
	case !c.Running():
		return used + ", no deadline while paused (" + reasonsInWords(c.Reasons()) + ")"
	case e.Due.IsZero():
		return used
	default:
		return used + ", due " + inUTC(e.Due)
	}
}

func inUTC(t time.Time) string { return t.UTC().Format("Mon 2 Jan 2006 15:04:05 UTC") }
