package report_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/report"
)

func TestPeriod(t *testing.T) {
	zone := berlin(t)
	now := time.Date(2026, time.November, 22, 23, 30, 0, 0, time.UTC) // Monday in Berlin
	for name, c := range map[string]struct{ first, last, from, to string }{
		"none":            {"", "", "2026-09-07 00:00", "2026-11-24 00:00"},
		"both, inclusive": {"2026-03-28", "2026-03-29", "2026-03-28 00:00", "2026-03-30 00:00"}, // start of daylight saving time
		"the last alone":  {"", "2026-03-29", "2026-01-05 00:00", "2026-03-30 00:00"},
	} {
		from, to, err := report.Period(now, zone, c.first, c.last)
		if got := from.In(zone).Format("2006-01-02 15:04"); err != nil || got != c.from {
			t.Errorf("%s: from %s, want %s; %v", name, got, c.from, err)
		}
		if got := to.In(zone).Format("2006-01-02 15:04"); got != c.to {
			t.Errorf("%s: to %s, want %s", name, got, c.to)
		}
		if weeks := report.Weeks(from, to, zone); name != "both, inclusive" && len(weeks) != 12 {
			t.Errorf("%s: %d weeks", name, len(weeks))
		}
	}
	for _, c := range [][2]string{{"yesterday", ""}, {"", "2026-02-30"}, {"2026-11-02", "2026-11-01"}, {"2020-01-01", "2026-01-01"}, {"0001-01-01", ""}, {"", "9999-12-31"}} {
		if _, _, err := report.Period(now, zone, c[0], c[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("from %q to %q: %v", c[0], c[1], err)
		}
	}
}

func TestWeeks_startOnMondaysInTheZone(t *testing.T) {
	zone := berlin(t)
	at := func(text string) time.Time {
		t, _ := time.ParseInLocation("2006-01-02 15:04", text, zone)
		return t.UTC()
	}
	for name, c := range map[string]struct{ from, to, first, last string }{
		"across the change of clocks": {"2026-03-25 12:00", "2026-04-02 12:00", "2026-03-23 00:00", "2026-03-30 00:00"},
		"a Sunday's last minute":      {"2026-03-29 23:59", "2026-03-30 00:01", "2026-03-23 00:00", "2026-03-30 00:00"},
		"to a Monday's midnight":      {"2026-03-23 00:00", "2026-03-30 00:00", "2026-03-23 00:00", "2026-03-23 00:00"},
		"nothing":                     {"2026-03-25 00:00", "2026-03-25 00:00", "2026-03-23 00:00", "2026-03-23 00:00"},
		"across a year":               {"2026-12-31 00:00", "2027-01-05 00:00", "2026-12-28 00:00", "2027-01-04 00:00"},
	} {
		weeks := report.Weeks(at(c.from), at(c.to), zone)
		if first, last := weeks[0], weeks[len(weeks)-1]; !first.Equal(at(c.first)) || !last.Equal(at(c.last)) {
			t.Errorf("%s: %s to %s", name, first.In(zone), last.In(zone))
		}
	}
}
