package policy_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// appendEntry appends an entry without compaction.
func appendEntry(c policy.Clock, e policy.LedgerEntry) policy.Clock {
	c.Ledger = append(c.Ledger[:len(c.Ledger):len(c.Ledger)], e)
	if e.Kind == policy.EntryAdopted {
		c.Counts = e.Counts
	}
	return c
}

func TestWith_compactionKeepsTheBehaviour(t *testing.T) {
	calendar := weekdays("Europe/Berlin").calendar(t)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
		first, err := policy.Start(calendar, policy.CountBusinessHours, at, 40*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		compacted := policy.Clock{Counts: policy.CountBusinessHours}.Append(first)
		whole := appendEntry(policy.Clock{Counts: policy.CountBusinessHours}, first)
		for range rapid.IntRange(policy.MaxLedger, 3*policy.MaxLedger).Draw(t, "entries") {
			at = at.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds")) * time.Second)
			change := drawChange(t, calendar, at)
			got, changed, err := change(compacted)
			want, wantChanged, err2 := change(whole)
			if err != nil || err2 != nil || changed != wantChanged || !reflect.DeepEqual(got, want) {
				t.Fatalf("at %s the folded clock writes %+v (%t, %v), the whole one %+v (%t, %v)", at, got, changed, err, want, wantChanged, err2)
			}
			if changed {
				compacted, whole = compacted.Append(got), appendEntry(whole, want)
			}
			checkSame(t, calendar, compacted, whole, at)
		}
	})
}

// drawChange draws a change of a clock at an instant.
func drawChange(t *rapid.T, calendar *policy.Calendar, at time.Time) func(policy.Clock) (policy.LedgerEntry, bool, error) {
	reason := rapid.SampledFrom([]policy.Reason{policy.ReasonWaiting, policy.ReasonResolved, policy.ReasonEmergency}).Draw(t, "reason")
	by := time.Duration(rapid.IntRange(1, 50).Draw(t, "hours")) * time.Hour
	counts := rapid.SampledFrom(policy.CountingModes()).Draw(t, "counts")
	return rapid.SampledFrom([]func(policy.Clock) (policy.LedgerEntry, bool, error){
		func(c policy.Clock) (policy.LedgerEntry, bool, error) {
			e, ok := c.Pause(calendar, at, reason)
			return e, ok, nil
		},
		func(c policy.Clock) (policy.LedgerEntry, bool, error) { return c.Resume(calendar, at, reason) },
		func(c policy.Clock) (policy.LedgerEntry, bool, error) { return c.Extend(calendar, at, by) },
		func(c policy.Clock) (policy.LedgerEntry, bool, error) { return c.Retarget(calendar, at, by) },
		func(c policy.Clock) (policy.LedgerEntry, bool, error) {
			return c.Adopt(calendar, calendar, at, counts, by)
		},
		func(c policy.Clock) (policy.LedgerEntry, bool, error) {
			e, ok := c.Meet(calendar, at)
			return e, ok, nil
		},
		func(c policy.Clock) (policy.LedgerEntry, bool, error) { return c.Reopen(calendar, at) },
	}).Draw(t, "verb")
}

func checkSame(t *rapid.T, calendar *policy.Calendar, compacted, whole policy.Clock, at time.Time) {
	t.Helper()
	type facts struct {
		Counts                            policy.CountingMode
		Running, Settled, Dated           bool
		Due                               time.Time
		Reasons                           []policy.Reason
		Budget, Extension, Used, Remains  time.Duration
		LaterUsed, RecentUsed, StartsWith time.Duration
	}
	of := func(c policy.Clock) facts {
		f := facts{
			Counts: c.Counts, Running: c.Running(), Settled: c.Met(), Reasons: c.Reasons(), Budget: c.Budget(), Extension: c.Extension(),
			Used: c.Used(calendar, at), Remains: c.Remaining(calendar, at), LaterUsed: c.Used(calendar, at.Add(30*time.Hour)),
			RecentUsed: c.Used(calendar, c.Ledger[max(len(c.Ledger)-20, 0)].At), StartsWith: c.Ledger[0].By,
		}
		f.Due, f.Dated = c.Due()
		return f
	}
	if got, want := of(compacted), of(whole); !reflect.DeepEqual(got, want) {
		t.Fatalf("folded: %+v\nwhole: %+v", got, want)
	}
	if len(compacted.Ledger) > policy.MaxLedger || compacted.Compacted == 0 && len(compacted.Ledger) != len(whole.Ledger) {
		t.Fatalf("%d entries are left of %d, %d folded", len(compacted.Ledger), len(whole.Ledger), compacted.Compacted)
	}
	for i, e := range compacted.Ledger[1:] {
		if e.At.Before(compacted.Ledger[i].At) {
			t.Fatalf("entry %d is earlier than the one before it", i+1)
		}
	}
}

func TestWith_compactionBoundsTheLedgerAndCountsNoReplacedDeadlineAsMissed(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), time.Hour)
	for i := range 5000 {
		c.do(c.Extend(c.calendar, utc(t, "2026-11-30 10:30").Add(time.Duration(i)*time.Minute), time.Hour))
	}
	stored, err := json.Marshal(c.Clock)
	if err != nil || len(stored) > 12<<10 {
		t.Errorf("%d bytes after 5,000 extensions, %v", len(stored), err)
	}
	lines := c.Explain(c.calendar, utc(t, "2026-12-04 12:00"))
	if last, want := lines[len(lines)-1].Text, "Deadline Sat 26 Jun 2027 19:00 UTC, 204d7h left"; last != want {
		t.Errorf("explained as %q, want %q", last, want)
	}
}
