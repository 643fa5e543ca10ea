package policy

import (
	"slices"
	"time"
)

// The verbs compute a clock's next entry and change nothing themselves: fold it with With. An entry is never earlier
// than the one before it, so an instant that is takes its place. False means that the verb would change nothing, as on
// a clock that has not started. The only error is ErrNeverOpens.

// Start makes the first entry of a clock. An instant at which time does not count starts it all the same; nothing is
// used up until it counts.
func Start(cal *Calendar, counts Counting, at time.Time, target time.Duration) (Entry, error) {
	at = instant(at)
	due, err := cal.Reach(counts, at, target)
	if err != nil {
		return Entry{}, err
	}
	return Entry{At: at, Act: ActStarted, By: target, Due: due}, nil
}

// Pause adds a reason to stand still.
func (c Clock) Pause(cal *Calendar, at time.Time, r Reason) (Entry, bool) {
	if len(c.Ledger) == 0 || slices.Contains(c.Reasons(), r) {
		return Entry{}, false
	}
	e := c.next(cal, at, ActPaused)
	e.Reason = r
	return e, true
}

// Resume takes a reason away. With the last one gone, the deadline follows from the budget that is left; if none is
// left, it is the instant of the resumption.
func (c Clock) Resume(cal *Calendar, at time.Time, r Reason) (Entry, bool, error) {
	if !slices.Contains(c.Reasons(), r) {
		return Entry{}, false, nil
	}
	e := c.next(cal, at, ActResumed)
	e.Reason = r
	return c.withDue(cal, e)
}

// Extend makes the budget longer, which later targets keep; a negative time takes back what was added. What is used up
// stays used up: if that is all of the budget, the deadline is the instant of the change.
func (c Clock) Extend(cal *Calendar, at time.Time, by time.Duration) (Entry, bool, error) {
	if len(c.Ledger) == 0 || by == 0 {
		return Entry{}, false, nil
	}
	e := c.next(cal, at, ActExtended)
	e.By = by
	return c.withDue(cal, e)
}

// Retarget changes the target to another positive one; extensions stay on top, and what is used up stays used up. If
// that is all of it, the deadline is the instant of the change.
func (c Clock) Retarget(cal *Calendar, at time.Time, target time.Duration) (Entry, bool, error) {
	if len(c.Ledger) == 0 || target <= 0 || target == c.target() {
		return Entry{}, false, nil
	}
	e := c.next(cal, at, ActRetargeted)
	e.By = target
	return c.withDue(cal, e)
}

// Adopt goes on by another policy's calendar, way to count and target. What was used up by the calendar so far stays
// used up, to the second, and extensions stay on top. If that is all of it, the deadline is the instant of the change.
// A promise that was met keeps its recorded deadline, until it is reopened.
func (c Clock) Adopt(was, cal *Calendar, at time.Time, counts Counting, target time.Duration) (Entry, bool, error) {
	if len(c.Ledger) == 0 || target <= 0 {
		return Entry{}, false, nil
	}
	e := c.next(was, at, ActAdopted)
	e.By, e.Was, e.Counts = target, c.Counts, counts
	if c.Settled() {
		e.Due = c.last().Due
		return e, true, nil
	}
	return c.withDue(cal, e)
}

// Settle records that the promise was met. Time goes on being counted unless the clock is paused too, so that it is
// not given back by Reopen; the recorded deadline stays.
func (c Clock) Settle(cal *Calendar, at time.Time) (Entry, bool) {
	if len(c.Ledger) == 0 || c.Settled() {
		return Entry{}, false
	}
	e := c.next(cal, at, ActSettled)
	e.Due = c.last().Due
	return e, true
}

// Reopen records that the promise is owed again. If its budget is used up, the deadline is the instant of reopening.
func (c Clock) Reopen(cal *Calendar, at time.Time) (Entry, bool, error) {
	if !c.Settled() {
		return Entry{}, false, nil
	}
	return c.withDue(cal, c.next(cal, at, ActReopened))
}

// next is an entry with its instant and what is used up by then.
func (c Clock) next(cal *Calendar, at time.Time, act Act) Entry {
	at = instant(at)
	if last := c.last().At; at.Before(last) {
		at = last
	}
	return Entry{At: at, Act: act, Used: c.Used(cal, at)}
}

// withDue completes an entry with the deadline of the clock that it makes.
func (c Clock) withDue(cal *Calendar, e Entry) (Entry, bool, error) {
	after := c.With(e)
	if !after.Running() {
		return e, true, nil
	}
	due, err := cal.Reach(after.Counts, e.At, after.Budget()-e.Used)
	if err != nil {
		return Entry{}, false, err
	}
	e.Due = due
	return e, true, nil
}

// instant is t in UTC, rounded down to the second, in the one form that compares equal after JSON.
func instant(t time.Time) time.Time { return time.Unix(t.Unix(), 0).UTC() }
