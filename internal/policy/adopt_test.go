package policy_test

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func (p *testClock) adopt(was, cal *policy.Calendar, at time.Time, counts policy.CountingMode, target time.Duration) {
	p.t.Helper()
	p.do(p.Adopt(was, cal, at, counts, target))
	p.calendar = cal
}

func TestAdopt_keepsUsageToTheSecond(t *testing.T) {
	utcDays, berlin := weekdays("UTC").calendar(t), weekdays("Europe/Berlin").calendar(t)
	for name, c := range map[string]struct {
		at     string
		counts policy.CountingMode
		target time.Duration
		used   time.Duration
		due    string
	}{
		// From Monday 10:00 UTC. In Berlin the desk is open from 09:00 to 16:00 UTC.
		"the same again":                    {"2026-11-30 13:12:07", policy.CountBusinessHours, 10 * time.Hour, 3*time.Hour + 12*time.Minute + 7*time.Second, "2026-12-01 13:00"},
		"another target":                    {"2026-11-30 13:12:07", policy.CountBusinessHours, 5 * time.Hour, 3*time.Hour + 12*time.Minute + 7*time.Second, "2026-11-30 15:00"},
		"calendar time":                     {"2026-11-30 13:12:07", policy.CountCalendar, 10 * time.Hour, 3*time.Hour + 12*time.Minute + 7*time.Second, "2026-11-30 20:00"},
		"whole days":                        {"2026-11-30 13:12:07", policy.CountBusinessDays, 24 * time.Hour, 3*time.Hour + 12*time.Minute + 7*time.Second, "2026-12-01 10:00"},
		"at night, what the day used up":    {"2026-12-01 03:00", policy.CountCalendar, 10 * time.Hour, 7 * time.Hour, "2026-12-01 06:00"},
		"less than is used up: due at once": {"2026-12-01 03:00", policy.CountCalendar, 6 * time.Hour, 7 * time.Hour, "2026-12-01 03:00"},
	} {
		t.Run(name, func(t *testing.T) {
			clock := start(t, utcDays, policy.CountBusinessHours, utc(t, "2026-11-30 10:00"), 10*time.Hour)
			before := append([]policy.LedgerEntry(nil), clock.Ledger...)
			clock.adopt(utcDays, berlin, utc(t, c.at), c.counts, c.target)
			if used := clock.Used(berlin, utc(t, c.at)); used != c.used {
				t.Errorf("used %s, want %s", used, c.used)
			}
			clock.wantDue(utc(t, c.due))
			if clock.Budget() != c.target || clock.Counts != c.counts {
				t.Errorf("%s by %s", clock.Budget(), clock.Counts)
			}
			if !reflect.DeepEqual(clock.Ledger[:1], before) {
				t.Errorf("the ledger's past is %+v, was %+v", clock.Ledger[:1], before)
			}
		})
	}
}

func TestAdopt_staysPausedAndKeepsExtensions(t *testing.T) {
	cal := weekdays("UTC").calendar(t)
	c := start(t, cal, policy.CountCalendar, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	c.do(c.Extend(cal, utc(t, "2026-11-30 11:00"), 2*time.Hour))
	c.pause(utc(t, "2026-11-30 12:00"), policy.ReasonWaiting)
	c.adopt(cal, cal, utc(t, "2026-12-01 12:00"), policy.CountBusinessHours, 3*time.Hour)
	c.wantNoDue()
	if left := c.Remaining(cal, utc(t, "2026-12-02 12:00")); left != 3*time.Hour {
		t.Errorf("%s left of 3h plus 2h with 2h used up", left)
	}
	c.resume(utc(t, "2026-12-02 16:00"), policy.ReasonWaiting)
	c.wantDue(utc(t, "2026-12-03 12:00"))
}

func TestAdopt_roundTripsThroughJSON(t *testing.T) {
	was, cal := weekdays("UTC").calendar(t), weekdays("Asia/Tokyo").calendar(t)
	c := start(t, was, policy.CountBusinessHours, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	c.adopt(was, cal, utc(t, "2026-12-01 03:00"), policy.CountBusinessDays, 48*time.Hour)
	written, err := json.Marshal(c.Clock)
	if err != nil {
		t.Fatal(err)
	}
	var read policy.Clock
	if err := json.Unmarshal(written, &read); err != nil || !reflect.DeepEqual(read, c.Clock) {
		t.Errorf("%s is read as %+v, %v, want %+v", written, read, err, c.Clock)
	}
}

// The new calendar never changes recorded usage, whatever the calendars and countings.
func TestAdopt_neverRecomputesUsage(t *testing.T) {
	calendars := []*policy.Calendar{weekdays("UTC").calendar(t), weekdays("America/New_York", "2026-12-25").calendar(t), policy.Default().Calendar}
	rapid.Check(t, func(t *rapid.T) {
		was, cal := rapid.SampledFrom(calendars).Draw(t, "was"), rapid.SampledFrom(calendars).Draw(t, "is")
		counts, then := rapid.SampledFrom(policy.CountingModes()).Draw(t, "counted"), rapid.SampledFrom(policy.CountingModes()).Draw(t, "counts")
		from := time.Date(2026, 12, 1, 0, 0, rapid.IntRange(0, 30*24*3600).Draw(t, "start"), 0, time.UTC)
		at := from.Add(time.Duration(rapid.IntRange(0, 20*24*3600).Draw(t, "after")) * time.Second)
		seconds := rapid.IntRange(1, 10*24*3600)
		c := start(t, was, counts, from, time.Duration(seconds.Draw(t, "target"))*time.Second)
		used := c.Used(was, at)
		c.adopt(was, cal, at, then, time.Duration(seconds.Draw(t, "new target"))*time.Second)
		if got := c.Used(cal, at); got != used {
			t.Fatalf("used %s at the change, was %s", got, used)
		}
		later := at.Add(time.Duration(rapid.IntRange(0, 20*24*3600).Draw(t, "later")) * time.Second)
		if got, want := c.Used(cal, later), used+cal.Elapsed(then, at, later); got != want {
			t.Fatalf("used %s by %s, want %s", got, later, want)
		}
		if due, ok := c.Due(); !ok || due.Before(at) || used < c.Budget() && cal.Elapsed(then, at, due) != c.Budget()-used {
			t.Fatalf("due %s with %s of %s used up at %s", due, used, c.Budget(), at)
		}
		middle := from.Add(at.Sub(from) / 2).Truncate(time.Second)
		if got := c.Used(cal, middle); got < 0 || got > used {
			t.Fatalf("before the change %s were used up, and %s at it", got, used)
		}
		total := time.Duration(0)
		for _, line := range c.Explain(cal, later) {
			total += line.Used
		}
		if want := c.Used(cal, later); total != want {
			t.Fatalf("the explanation adds up to %s, want %s", total, want)
		}
	})
}

func TestExplain_usesRecordedUsageBeforeAnotherVersion(t *testing.T) {
	was, cal := weekdays("UTC").calendar(t), weekdays("UTC", "2026-11-30").calendar(t)
	c := start(t, was, policy.CountBusinessHours, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	c.adopt(was, cal, utc(t, "2026-11-30 13:00"), policy.CountBusinessDays, 24*time.Hour)
	var lines []string
	for _, line := range c.Explain(cal, utc(t, "2026-12-01 02:00")) {
		lines = append(lines, line.Text)
	}
	want := []string{
		"Mon 30 Nov 10:00 UTC: started with 10h, counted during opening hours",
		"Mon 30 Nov 10:00 to 13:00 UTC: running, 3h used, 7h left",
		"Mon 30 Nov 13:00 UTC: policy version changed, with 1d, counted on business days, 24h each, 21h left",
		"Mon 30 Nov 13:00 to Tue 1 Dec 02:00 UTC: running, 2h used, 19h left",
		"Deadline Tue 1 Dec 21:00 UTC, 19h left",
	}
	if !reflect.DeepEqual(lines, want) {
		t.Errorf("lines\n%s\nwant\n%s", strings.Join(lines, "\n"), strings.Join(want, "\n"))
	}
}
