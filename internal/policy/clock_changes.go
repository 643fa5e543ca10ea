package policy

import (
	"slices"
	"time"
)

// The functions in this file compute a clock's next entry, to be appended by Append, and change nothing. An entry is never
// earlier than the previous one; an earlier instant is replaced by that of the previous entry. A result of false means
// that there would be no change, as on a clock that has not started. The only error is ErrNeverOpens.

// Start returns the first entry of a clock. A clock that is started while time does not count uses up nothing until it
// does.
func Start(cal *Calendar, counts CountingMode, at time.Time, target time.Duration) (LedgerEntry, error) {
	at = instant(at)
	due, err := cal.Add(counts, at, target)
	if err != nil {
		return LedgerEntry{}, err
	}
	return LedgerEntry{At: at, Kind: EntryStarted, By: target, Due: due}, nil
}

// Pause adds a reason to pause.
func (c Clock) Pause(cal *Calendar, at time.Time, r Reason) (LedgerEntry, bool) {
	if len(c.Ledger) == 0 || slices.Contains(c.Reasons(), r) {
		return LedgerEntry{}, false
	}
	e := c.next(cal, at, EntryPaused)
	e.Reason = r
	return e, true
}

// Resume removes a reason to pause. Without reasons left, the deadline follows from the remaining budget; if none is
// left, it is the instant of the resumption.
func (c Clock) Resume(cal *Calendar, at time.Time, r Reason) (LedgerEntry, bool, error) {
	if !slices.Contains(c.Reasons(), r) {
		return LedgerEntry{}, false, nil
	}
	e := c.next(cal, at, EntryResumed)
	e.Reason = r
	return c.withDue(cal, e)
}

// Extend adds to the budget, also for later targets; a negative duration reduces earlier extensions. If all of the
// budget is used up, the deadline is the instant of the change.
func (c Clock) Extend(cal *Calendar, at time.Time, by time.Duration) (LedgerEntry, bool, error) {
	if len(c.Ledger) == 0 || by == 0 {
		return LedgerEntry{}, false, nil
	}
	e := c.next(cal, at, EntryExtended)
	e.By = by
	return c.withDue(cal, e)
}

// Retarget replaces the target. Extensions are kept, and so is what is used up. If that is all of the budget, the
// deadline is the instant of the change.
func (c Clock) Retarget(cal *Calendar, at time.Time, target time.Duration) (LedgerEntry, bool, error) {
	if len(c.Ledger) == 0 || target <= 0 || target == c.target() {
		return LedgerEntry{}, false, nil
	}
	e := c.next(cal, at, EntryRetargeted)
	e.By = target
	return c.withDue(cal, e)
}

// Adopt changes the clock to the calendar, counting and target of another policy version. What was used up by the
// previous calendar stays used up, to the second, and extensions are kept. If that is all of the budget, the deadline
// is the instant of the change. A settled clock keeps its deadline until it is reopened.
func (c Clock) Adopt(was, cal *Calendar, at time.Time, counts CountingMode, target time.Duration) (LedgerEntry, bool, error) {
	if len(c.Ledger) == 0 || target <= 0 {
		return LedgerEntry{}, false, nil
	}
	e := c.next(was, at, EntryAdopted)
	e.By, e.Was, e.Counts = target, c.Counts, counts
	if c.Met() {
		e.Due = c.last().Due
		return e, true, nil
	}
	return c.withDue(cal, e)
}

// Meet records that the target was met. Unless the clock is paused, time is still counted, so that Reopen does not
// restore it; the recorded deadline stays.
func (c Clock) Meet(cal *Calendar, at time.Time) (LedgerEntry, bool) {
	if len(c.Ledger) == 0 || c.Met() {
		return LedgerEntry{}, false
	}
	e := c.next(cal, at, EntryStopped)
	e.Due = c.last().Due
	return e, true
}

// Reopen records that the target is open again. If the budget is used up, the deadline is the instant of reopening.
func (c Clock) Reopen(cal *Calendar, at time.Time) (LedgerEntry, bool, error) {
	if !c.Met() {
		return LedgerEntry{}, false, nil
	}
	return c.withDue(cal, c.next(cal, at, EntryReopened))
}

// next returns an entry with its instant and usage.
func (c Clock) next(cal *Calendar, at time.Time, act EntryKind) LedgerEntry {
	at = instant(at)
	if last := c.last().At; at.Before(last) {
		at = last
	}
	return LedgerEntry{At: at, Kind: act, Used: c.Used(cal, at)}
}

// withDue sets the deadline of an entry.
func (c Clock) withDue(cal *Calendar, e LedgerEntry) (LedgerEntry, bool, error) {
	after := c.Append(e)
	if !after.Running() {
		return e, true, nil
	}
	due, err := cal.Add(after.Counts, e.At, after.Budget()-e.Used)
	if err != nil {
		return LedgerEntry{}, false, err
	}
	e.Due = due
	return e, true, nil
}

// instant returns t in UTC, truncated to seconds, in the form that compares equal after a round trip through JSON.
func instant(t time.Time) time.Time { return time.Unix(t.Unix(), 0).UTC() }
