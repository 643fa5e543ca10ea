package desk_test

import (
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
)

func TestPeriod(t *testing.T) {
	zone := berlin(t).Zone
	now := time.Date(2026, time.November, 22, 23, 30, 0, 0, time.UTC) // in Berlin it is Monday already
	for name, c := range map[string]struct{ first, last, from, to string }{
		"none":            {"", "", "2026-09-07 00:00", "2026-11-24 00:00"},
		"both, inclusive": {"2026-03-28", "2026-03-29", "2026-03-28 00:00", "2026-03-30 00:00"}, // the clocks change
		"the last alone":  {"", "2026-03-29", "2026-01-05 00:00", "2026-03-30 00:00"},
	} {
		from, to, err := desk.Period(now, zone, c.first, c.last)
		if got := from.In(zone).Format("2006-01-02 15:04"); err != nil || got != c.from {
			t.Errorf("%s: from %s, want %s; %v", name, got, c.from, err)
		}
		if got := to.In(zone).Format("2006-01-02 15:04"); got != c.to {
			t.Errorf("%s: to %s, want %s", name, got, c.to)
		}
		if weeks := desk.Weeks(from, to, zone); name != "both, inclusive" && len(weeks) != 12 {
			t.Errorf("%s: %d weeks", name, len(weeks))
		}
	}
	for _, c := range [][2]string{{"yesterday", ""}, {"", "2026-02-30"}, {"2026-11-02", "2026-11-01"}, {"2020-01-01", "2026-01-01"}, {"0001-01-01", ""}, {"", "9999-12-31"}} {
		if _, _, err := desk.Period(now, zone, c[0], c[1]); fault.KindOf(err) != fault.Invalid {
			t.Errorf("from %q to %q: %v", c[0], c[1], err)
		}
	}
}
