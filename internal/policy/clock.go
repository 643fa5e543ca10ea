package policy

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// EntryKind is the kind of a ledger entry.
type EntryKind string

// The kinds of ledger entries.
const (
	EntryStarted    EntryKind = "started"
	EntryPaused     EntryKind = "paused"
	EntryResumed    EntryKind = "resumed"
	EntryExtended   EntryKind = "extended"
	EntryRetargeted EntryKind = "retargeted"
	EntryStopped    EntryKind = "settled"
	EntryReopened   EntryKind = "reopened"
	EntryAdopted    EntryKind = "adopted" // the clock follows another policy version from here on
	EntryCompacted  EntryKind = "folded"  // earlier entries have been compacted; see MaxLedger
)

// LedgerEntry is one entry in a clock's ledger. Instants are in UTC; instants and durations are whole seconds. Entries are
// computed by Start and the methods of Clock, and appended by Clock.Append.
type LedgerEntry struct {
	At     time.Time
	Kind   EntryKind
	Reason Reason        // of a pause or its end
	By     time.Duration // started, retargeted, adopted: the new target; extended: the extension
	Used   time.Duration // budget used up by At
	Due    time.Time     // the deadline after this entry; zero while paused
	Counts CountingMode  // adopted: the new counting
	Was    CountingMode  // adopted: the previous counting
}

// entryJSON keeps workflow histories small: Unix seconds and seconds.
type entryJSON struct {
	At     int64        `json:"at"`
	Act    EntryKind    `json:"act"`
	Reason Reason       `json:"reason,omitempty"`
	By     int64        `json:"by,omitempty"`
	Used   int64        `json:"used,omitempty"`
	Due    *int64       `json:"due,omitempty"`
	Counts CountingMode `json:"counts,omitempty"`
	Was    CountingMode `json:"was,omitempty"`
}

// MarshalJSON encodes instants as Unix seconds and durations as seconds, and omits zero values.
func (e LedgerEntry) MarshalJSON() ([]byte, error) {
	compact := entryJSON{
		At: e.At.Unix(), Act: e.Kind, Reason: e.Reason,
		By: int64(e.By / time.Second), Used: int64(e.Used / time.Second), Counts: e.Counts, Was: e.Was,
	}
	if !e.Due.IsZero() {
		due := e.Due.Unix()
		compact.Due = &due
	}
	return json.Marshal(compact)
}

// UnmarshalJSON decodes the output of MarshalJSON.
func (e *LedgerEntry) UnmarshalJSON(data []byte) error {
	var compact entryJSON
	if err := json.Unmarshal(data, &compact); err != nil {
		return fmt.Errorf("decode ledger entry: %w", err)
	}
	*e = LedgerEntry{
		At: time.Unix(compact.At, 0).UTC(), Kind: compact.Act, Reason: compact.Reason,
		By: time.Duration(compact.By) * time.Second, Used: time.Duration(compact.Used) * time.Second,
		Counts: compact.Counts, Was: compact.Was,
	}
	if compact.Due != nil {
		e.Due = time.Unix(*compact.Due, 0).UTC()
	}
	return nil
}

// Clock is the ledger of one target, in ascending order. A zero Clock has not started; set Counts before the first call
// of Append. Copies share no state that a method changes.
type Clock struct {
	Counts    CountingMode  `json:"counts,omitempty"` // as of the last entry
	Ledger    []LedgerEntry `json:"ledger,omitempty"`
	Compacted int           `json:"folded,omitempty"` // number of compacted entries, see MaxLedger
}

// Append returns the clock with an entry appended. It needs no calendar and does not change the receiver.
func (c Clock) Append(e LedgerEntry) Clock {
	c.Ledger = append(slices.Clip(c.Ledger), e)
	if e.Kind == EntryAdopted {
		c.Counts = e.Counts
	}
	if len(c.Ledger) > MaxLedger {
		return c.compact(len(c.Ledger) - keepEntries)
	}
	return c
}

// asOf returns the clock after its first n entries.
func (c Clock) asOf(n int) Clock {
	for _, e := range c.Ledger[n:] {
		if e.Kind == EntryAdopted {
			return Clock{Counts: e.Was, Ledger: c.Ledger[:n]}
		}
	}
	return Clock{Counts: c.Counts, Ledger: c.Ledger[:n]}
}

// Running reports whether the clock has started and is not paused. A settled clock may be running.
func (c Clock) Running() bool { return len(c.Ledger) > 0 && len(c.Reasons()) == 0 }

// Met reports whether the target was met and the clock has not been reopened since.
func (c Clock) Met() bool {
	for _, e := range slices.Backward(c.Ledger) {
		switch e.Kind {
		case EntryStopped:
			return true
		case EntryReopened:
			return false
		}
	}
	return false
}

// AsMet returns the clock as of the entry that settled it: later changes concern the target after a reopening. A
// clock that is not settled is returned unchanged.
func (c Clock) AsMet() Clock {
	for i, e := range slices.Backward(c.Ledger) {
		switch e.Kind {
		case EntryStopped:
			return c.asOf(i + 1)
		case EntryReopened:
			return c
		}
	}
	return c
}

// Reasons returns the reasons for which the clock is paused, sorted.
func (c Clock) Reasons() []Reason {
	var set []Reason
	for _, e := range c.Ledger {
		i, in := slices.BinarySearch(set, e.Reason)
		switch {
		case e.Kind == EntryPaused && !in:
			set = slices.Insert(set, i, e.Reason)
		case e.Kind == EntryResumed && in:
			set = slices.Delete(set, i, i+1)
		}
	}
	return set
}

// Budget returns the target plus extensions.
func (c Clock) Budget() time.Duration { return c.target() + c.Extension() }

// Extension returns the sum of all extensions.
func (c Clock) Extension() time.Duration {
	var sum time.Duration
	for _, e := range c.Ledger {
		if e.Kind == EntryExtended {
			sum += e.By
		}
	}
	return sum
}

// Due returns the recorded deadline. It returns false while the clock is paused or has not started.
func (c Clock) Due() (time.Time, bool) {
	if len(c.Ledger) == 0 {
		return time.Time{}, false
	}
	due := c.last().Due
	return due, !due.IsZero()
}

// Used returns how much of the budget was used up at an instant, which may be in the past; 0 before the start. Recorded
// values are never recomputed: the calendar, which may have changed, counts only from the last entry before the
// instant, and never beyond the value that the next entry records.
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

// Remaining returns the budget minus Used. It is negative after a breach.
func (c Clock) Remaining(cal *Calendar, at time.Time) time.Duration {
	return c.Budget() - c.Used(cal, at)
}

// ReachesAt returns the instant at which a percentage of the budget is used up, but not before the last entry. It returns
// false if the clock is not running, the percentage is not positive, or there is no such instant.
func (c Clock) ReachesAt(cal *Calendar, percent int) (time.Time, bool) {
	if percent <= 0 || !c.Running() {
		return time.Time{}, false
	}
	last := c.last()
	// In seconds, because nanoseconds times a percentage overflow; rounded up, so that a reminder is never early.
	goal := (int64(c.Budget()/time.Second)*int64(percent) + 99) / 100
	at, err := cal.Add(c.Counts, last.At, time.Duration(goal)*time.Second-last.Used)
	return at, err == nil
}

func (c Clock) target() time.Duration {
	for _, e := range slices.Backward(c.Ledger) {
		if e.Kind == EntryStarted || e.Kind == EntryRetargeted || e.Kind == EntryAdopted {
			return e.By
		}
	}
	return 0
}

// last returns the last entry of a clock that has started.
func (c Clock) last() LedgerEntry { return c.Ledger[len(c.Ledger)-1] }

// ClockName identifies one of the two clocks of a ticket.
type ClockName string

// The clocks.
const (
	FirstResponse ClockName = "first_response" // until the first public reply by a person
	Resolution    ClockName = "resolution"     // until the ticket is resolved
)

// Words returns the name as it stands in a sentence.
func (c ClockName) Words() string { return strings.ReplaceAll(string(c), "_", " ") }

// ClockNames returns both clocks: first response, then resolution.
func ClockNames() []ClockName { return []ClockName{FirstResponse, Resolution} }

// Reason is why a clock is paused.
type Reason string

// The reasons. An emergency pauses every clock; the others pause those whose Rule lists them.
const (
	ReasonWaiting   Reason = "waiting"   // waiting for the requester
	ReasonResolved  Reason = "resolved"  // the ticket is resolved
	ReasonEmergency Reason = "emergency" // an emergency is in force
)
