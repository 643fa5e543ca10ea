package policy_test

import (
	"encoding/json"
	"reflect"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// unfolded is a clock with every entry that there ever was.
func unfolded(c policy.Clock, e policy.Entry) policy.Clock {
	c.Ledger = append(c.Ledger[:len(c.Ledger):len(c.Ledger)], e)
	if e.Act == policy.ActAdopted {
		c.Counts = e.Counts
	}
	return c
}

func TestWith_aFoldedClockGoesOnAsIfItHadEveryEntry(t *testing.T) {
	calendar := weekdays("Europe/Berlin").calendar(t)
	rapid.Check(t, func(t *rapid.T) {
		at := time.Date(2026, 3, 27, 9, 0, 0, 0, time.UTC)
		first, err := policy.Start(calendar, policy.CountBusinessHours, at, 40*time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		folded := policy.Clock{Counts: policy.CountBusinessHours}.With(first)
		whole := unfolded(policy.Clock{Counts: policy.CountBusinessHours}, first)
		for range rapid.IntRange(policy.MaxLedger, 3*policy.MaxLedger).Draw(t, "entries") {
			at = at.Add(time.Duration(rapid.IntRange(0, 7200).Draw(t, "seconds")) * time.Second)
			verb := drawVerb(t, calendar, at)
			got, changed, err := verb(folded)
			want, wanted, err2 := verb(whole)
			if err != nil || err2 != nil || changed != wanted || !reflect.DeepEqual(got, want) {
				t.Fatalf("at %s the folded clock writes %+v (%t, %v), the whole one %+v (%t, %v)", at, got, changed, err, want, wanted, err2)
			}
			if changed {
				folded, whole = folded.With(got), unfolded(whole, want)
			}
			same(t, calendar, folded, whole, at)
		}
	})
}

// drawVerb draws what happens to a clock at an instant.
func drawVerb(t *rapid.T, calendar *policy.Calendar, at time.Time) func(policy.Clock) (policy.Entry, bool, error) {
	reason := rapid.SampledFrom([]policy.Reason{policy.ReasonWaiting, policy.ReasonResolved, policy.ReasonEmergency}).Draw(t, "reason")
	by := time.Duration(rapid.IntRange(1, 50).Draw(t, "hours")) * time.Hour
	counts := rapid.SampledFrom(policy.Countings()).Draw(t, "counts")
	return rapid.SampledFrom([]func(policy.Clock) (policy.Entry, bool, error){
		func(c policy.Clock) (policy.Entry, bool, error) {
			e, ok := c.Pause(calendar, at, reason)
			return e, ok, nil
		},
		func(c policy.Clock) (policy.Entry, bool, error) { return c.Resume(calendar, at, reason) },
		func(c policy.Clock) (policy.Entry, bool, error) { return c.Extend(calendar, at, by) },
		func(c policy.Clock) (policy.Entry, bool, error) { return c.Retarget(calendar, at, by) },
		func(c policy.Clock) (policy.Entry, bool, error) {
			return c.Adopt(calendar, calendar, at, counts, by)
		},
		func(c policy.Clock) (policy.Entry, bool, error) {
			e, ok := c.Settle(calendar, at)
			return e, ok, nil
		},
		func(c policy.Clock) (policy.Entry, bool, error) { return c.Reopen(calendar, at) },
	}).Draw(t, "verb")
}

func same(t *rapid.T, calendar *policy.Calendar, folded, whole policy.Clock, at time.Time) {
	t.Helper()
	type facts struct {
		Counts                            policy.Counting
		Running, Settled, Dated           bool
		Due                               time.Time
		Reasons                           []policy.Reason
		Budget, Extension, Used, Remains  time.Duration
		LaterUsed, RecentUsed, StartsWith time.Duration
	}
	of := func(c policy.Clock) facts {
		f := facts{
			Counts: c.Counts, Running: c.Running(), Settled: c.Settled(), Reasons: c.Reasons(), Budget: c.Budget(), Extension: c.Extension(),
			Used: c.Used(calendar, at), Remains: c.Remaining(calendar, at), LaterUsed: c.Used(calendar, at.Add(30*time.Hour)),
			RecentUsed: c.Used(calendar, c.Ledger[max(len(c.Ledger)-20, 0)].At), StartsWith: c.Ledger[0].By,
		}
		f.Due, f.Dated = c.Due()
		return f
	}
	if got, want := of(folded), of(whole); !reflect.DeepEqual(got, want) {
		t.Fatalf("folded: %+v\nwhole: %+v", got, want)
	}
	if len(folded.Ledger) > policy.MaxLedger || folded.Folded == 0 && len(folded.Ledger) != len(whole.Ledger) {
		t.Fatalf("%d entries are left of %d, %d folded", len(folded.Ledger), len(whole.Ledger), folded.Folded)
	}
	for i, e := range folded.Ledger[1:] {
		if e.At.Before(folded.Ledger[i].At) {
			t.Fatalf("entry %d is earlier than the one before it", i+1)
		}
	}
}

func TestWith_aFoldedLedgerIsBoundedAndMissesNoDeadlineThatWasReplaced(t *testing.T) {
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
