package policy_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// schedule defines a calendar for tests, with a slow and simple oracle.
type schedule struct {
	zone     string
	hours    map[time.Weekday][]string // spans such as "10:00-17:00"
	holidays []string                  // dates such as "2026-12-25"
}

// weekdays returns a schedule of Monday to Friday, 10:00 to 17:00.
func weekdays(zone string, holidays ...string) schedule {
	hours := map[time.Weekday][]string{}
	for wd := time.Monday; wd <= time.Friday; wd++ {
		hours[wd] = []string{"10:00-17:00"}
	}
	return schedule{zone: zone, hours: hours, holidays: holidays}
}

// document returns a policy with this schedule, whose clocks count calendar time, so that it may never open.
func (s schedule) document() string {
	var b strings.Builder
	fmt.Fprintf(&b, "time_zone: %s\nhours:\n", s.zone)
	for wd := time.Sunday; wd <= time.Saturday; wd++ {
		var quoted []string
		for _, span := range s.hours[wd] {
			quoted = append(quoted, `"`+span+`"`)
		}
		fmt.Fprintf(&b, "  %s: [%s]\n", strings.ToLower(wd.String()), strings.Join(quoted, ", "))
	}
	b.WriteString("holidays: [")
	for _, h := range s.holidays {
		fmt.Fprintf(&b, "{date: %s}, ", h)
	}
	b.WriteString("]\nclocks:\n  first_response: {target: 1h, counts: calendar}\n  resolution: {target: 2h, counts: calendar}\n")
	return b.String()
}

func (s schedule) calendar(t fataler) *policy.Calendar {
	t.Helper()
	return parse(t, s.document()).Calendar
}

// fataler is implemented by testing.TB and rapid.T.
type fataler interface {
	Helper()
	Fatalf(format string, args ...any)
}

func parse(t fataler, document string) *policy.Policy {
	t.Helper()
	p, err := policy.Parse([]byte(document))
	if err != nil {
		t.Fatalf("parse:\n%s\n%v", document, err)
	}
	return p
}

// oracle steps through the wall clock minute by minute. UTC offsets must be whole minutes.
type oracle struct {
	zone   *time.Location
	open   [7][24 * 60]bool
	any    [7]bool
	closed map[civil]bool
}

type civil struct {
	year  int
	month time.Month
	day   int
}

func (s schedule) oracle(t fataler) *oracle {
	t.Helper()
	zone, err := time.LoadLocation(s.zone)
	if err != nil {
		t.Fatalf("load zone: %v", err)
	}
	o := &oracle{zone: zone, closed: map[civil]bool{}}
	for _, h := range s.holidays {
		date, err := time.Parse(time.DateOnly, h)
		if err != nil {
			t.Fatalf("holiday %q: %v", h, err)
		}
		o.closed[civil{date.Year(), date.Month(), date.Day()}] = true
	}
	for wd, spans := range s.hours {
		for _, span := range spans {
			var h1, m1, h2, m2 int
			if _, err := fmt.Sscanf(span, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); err != nil {
				t.Fatalf("span %q: %v", span, err)
			}
			for m := h1*60 + m1; m < h2*60+m2; m++ {
				o.open[wd][m], o.any[wd] = true, true
			}
		}
	}
	return o
}

func (o *oracle) counts(counting policy.CountingMode, at time.Time) bool {
	if counting == policy.CountCalendar {
		return true
	}
	local := at.In(o.zone)
	year, month, day := local.Date()
	if o.closed[civil{year, month, day}] {
		return false
	}
	if counting == policy.CountBusinessDays {
		return o.any[local.Weekday()]
	}
	return o.open[local.Weekday()][local.Hour()*60+local.Minute()]
}

// reach returns the first instant at which a budget is used up, or false if that is not before the limit.
func (o *oracle) reach(counting policy.CountingMode, from time.Time, budget time.Duration, limit time.Time) (time.Time, bool) {
	for at := from; at.Before(limit); {
		next := at.Truncate(time.Minute).Add(time.Minute)
		if o.counts(counting, at) {
			if next.Sub(at) >= budget {
				return at.Add(budget), true
			}
			budget -= next.Sub(at)
		}
		at = next
	}
	return time.Time{}, false
}

func (o *oracle) elapsed(counting policy.CountingMode, from, to time.Time) time.Duration {
	var sum time.Duration
	for at := from; at.Before(to); {
		next := at.Truncate(time.Minute).Add(time.Minute)
		if next.After(to) {
			next = to
		}
		if o.counts(counting, at) {
			sum += next.Sub(at)
		}
		at = next
	}
	return sum
}

// utc parses "2026-11-30 09:00", or with seconds, in UTC.
func utc(t testing.TB, text string) time.Time {
	t.Helper()
	return in(t, "UTC", text)
}

func in(t testing.TB, zone, text string) time.Time {
	t.Helper()
	location, err := time.LoadLocation(zone)
	if err != nil {
		t.Fatal(err)
	}
	layout := time.DateTime[:len(text)]
	at, err := time.ParseInLocation(layout, text, location)
	if err != nil {
		t.Fatal(err)
	}
	return at.UTC()
}
