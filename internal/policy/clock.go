package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// Act is what happened to a clock.
type Act string

// The acts.
const (
	ActStarted    Act = "started"
	ActPaused     Act = "paused"
	ActResumed    Act = "resumed"
	ActExtended   Act = "extended"
	ActRetargeted Act = "retargeted"
	ActSettled    Act = "settled"
	ActReopened   Act = "reopened"
	ActAdopted    Act = "adopted" // from here on it counts by another version of the policy
	ActFolded     Act = "folded"  // what came before is summed up: see MaxLedger
)

// Entry is one line of a clock's ledger. Instants are UTC and whole seconds, durations are whole seconds. The verbs
// (Start and the methods of Clock) make entries; Clock.With folds them.
type Entry struct {
	At     time.Time
	Act    Act
	Reason Reason        // of a pause or its end
	By     time.Duration // started, retargeted, adopted: the new target; extended: how much longer
	Used   time.Duration // budget used up by At
	Due    time.Time     // the deadline as of this entry; zero while paused
	Counts Counting      // adopted: how it counts from here on
	Was    Counting      // adopted: how it counted until here
}

// entryJSON keeps histories small: seconds since 1970 and seconds.
type entryJSON struct {
	At     int64    `json:"at"`
	Act    Act      `json:"act"`
	Reason Reason   `json:"reason,omitempty"`
	By     int64    `json:"by,omitempty"`
	Used   int64    `json:"used,omitempty"`
	Due    *int64   `json:"due,omitempty"`
	Counts Counting `json:"counts,omitempty"`
	Was    Counting `json:"was,omitempty"`
}

// MarshalJSON writes instants as seconds since 1970-01-01 UTC and durations as seconds, and leaves out what is zero.
func (e Entry) MarshalJSON() ([]byte, error) {
	compact := entryJSON{
		At: e.At.Unix(), Act: e.Act, Reason: e.Reason,
		By: int64(e.By / time.Second), Used: int64(e.Used / time.Second), Counts: e.Counts, Was: e.Was,
	}
	if !e.Due.IsZero() {
		due := e.Due.Unix()
		compact.Due = &due
	}
	return json.Marshal(compact)
}

// UnmarshalJSON reads what MarshalJSON writes.
func (e *Entry) UnmarshalJSON(data []byte) error {
	var compact entryJSON
	if err := json.Unmarshal(data, &compact); err != nil {
		return fmt.Errorf("read a clock's entry: %w", err)
	}
	*e = Entry{
		At: time.Unix(compact.At, 0).UTC(), Act: compact.Act, Reason: compact.Reason,
		By: time.Duration(compact.By) * time.Second, Used: time.Duration(compact.Used) * time.Second,
		Counts: compact.Counts, Was: compact.Was,
	}
	if compact.Due != nil {
		e.Due = time.Unix(*compact.Due, 0).UTC()
	}
	return nil
}

// Clock is the ledger of one promise, by time, ascending. A zero Clock has not started; set Counts before the first
// With. Copies share nothing that a method changes.
type Clock struct {
	Counts Counting `json:"counts,omitempty"` // as of the last entry
	Ledger []Entry  `json:"ledger,omitempty"`
	Folded int      `json:"folded,omitempty"` // entries that the ledger sums up, see MaxLedger
}

// With is the clock after one more entry. It needs no calendar, and leaves the receiver's ledger alone.
func (c Clock) With(e Entry) Clock {
	c.Ledger = append(slices.Clip(c.Ledger), e)
	if e.Act == ActAdopted {
		c.Counts = e.Counts
	}
	if len(c.Ledger) > MaxLedger {
		return c.fold(len(c.Ledger) - keptLedger)
	}
	return c
}

// asOf is the clock as its first n entries left it.
func (c Clock) asOf(n int) Clock {
	for _, e := range c.Ledger[n:] {
		if e.Act == ActAdopted {
			return Clock{Counts: e.Was, Ledger: c.Ledger[:n]}
		}
	}
	return Clock{Counts: c.Counts, Ledger: c.Ledger[:n]}
}

// Running reports whether the clock has started and has no reason to stand still. A settled clock may be running.
func (c Clock) Running() bool { return len(c.Ledger) > 0 && len(c.Reasons()) == 0 }

// Settled reports whether the promise was met, and not reopened since.
func (c Clock) Settled() bool {
	for _, e := range slices.Backward(c.Ledger) {
		switch e.Act {
		case ActSettled:
			return true
		case ActReopened:
			return false
		}
	}
	return false
}

// AsSettled is the clock as it was when its promise was met: what changes the target later concerns a promise that is
// owed again, not the one that was met. A clock that is not settled is itself.
func (c Clock) AsSettled() Clock {
	for i, e := range slices.Backward(c.Ledger) {
		switch e.Act {
		case ActSettled:
			return c.asOf(i + 1)
		case ActReopened:
			return c
		}
	}
	return c
}

// Reasons is the set of reasons for which the clock stands still, sorted.
func (c Clock) Reasons() []Reason {
	var set []Reason
	for _, e := range c.Ledger {
		i, in := slices.BinarySearch(set, e.Reason)
		switch {
		case e.Act == ActPaused && !in:
			set = slices.Insert(set, i, e.Reason)
		case e.Act == ActResumed && in:
			set = slices.Delete(set, i, i+1)
		}
	}
	return set
}

// Budget is the target and its extensions.
func (c Clock) Budget() time.Duration { return c.target() + c.Extension() }

// Extension is the sum of the extensions.
func (c Clock) Extension() time.Duration {
	var sum time.Duration
	for _, e := range c.Ledger {
		if e.Act == ActExtended {
			sum += e.By
		}
	}
	return sum
}

// Due is the recorded deadline; false while the clock is paused or has not started.
func (c Clock) Due() (time.Time, bool) {
	if len(c.Ledger) == 0 {
		return time.Time{}, false
	}
	due := c.last().Due
	return due, !due.IsZero()
}

// Used is how much of the budget was used up at an instant, also one in the past; 0 before the start. What an entry
// recorded stands: the calendar, which may be another one by now, counts only from the last entry before the instant,
// and to no more than the next one says.
func (c Clock) Used(cal *Calendar, at time.Time) time.Duration {
	n := len(c.Ledger)
	for n > 0 && c.Ledger[n-1].At.After(at) {
		n--
	}
	then := c.asOf(n)
	switch {
	case n == 0:
		return 0
	case !then.Running():
		return then.last().Used
	}
	used := then.last().Used + cal.Elapsed(then.Counts, then.last().At, at)
	if n < len(c.Ledger) {
		return min(used, c.Ledger[n].Used)
	}
	return used
}

// Remaining is the budget less what was used up at an instant: negative once the promise is broken.
func (c Clock) Remaining(cal *Calendar, at time.Time) time.Duration {
	return c.Budget() - c.Used(cal, at)
}

// Reaches is the instant at which a percentage of the budget is used up, never before the last entry. It is false if
// the clock does not run, the percentage is not positive, or the instant never comes.
func (c Clock) Reaches(cal *Calendar, percent int) (time.Time, bool) {
	if percent <= 0 || !c.Running() {
		return time.Time{}, false
	}
	last := c.last()
	// In seconds, since nanoseconds times a percentage overflow. Rounded up: a reminder is never early.
	goal := (int64(c.Budget()/time.Second)*int64(percent) + 99) / 100
	at, err := cal.Reach(c.Counts, last.At, time.Duration(goal)*time.Second-last.Used)
	return at, err == nil
}

func (c Clock) target() time.Duration {
	for _, e := range slices.Backward(c.Ledger) {
		if e.Act == ActStarted || e.Act == ActRetargeted || e.Act == ActAdopted {
			return e.By
		}
	}
	return 0
}

// last is the latest entry of a clock that has started.
func (c Clock) last() Entry { return c.Ledger[len(c.Ledger)-1] }
