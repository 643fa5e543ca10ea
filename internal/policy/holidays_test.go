package policy_test

import (
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
)

const plainClocks = "clocks:\n  first_response: {target: 1h, counts: calendar}\n  resolution: {target: 2h, counts: calendar}\n"

func TestMergeHolidays_keepsTheRestUnchanged(t *testing.T) {
	day := func(text, name string) policy.Holiday {
		at, err := time.Parse(time.DateOnly, text)
		if err != nil {
			t.Fatal(err)
		}
		return policy.Holiday{Date: at, Name: name}
	}
	more := []policy.Holiday{day("2026-12-24", "Eve"), day("2026-12-25", "Another name"), day("2026-12-26", "Boxing: \"Day\""), day("2026-12-27", "Boxing: \"Day\"")}
	merged := "holidays:\n  - {date: 2026-12-24, name: \"Eve\"}\n  - {date: 2026-12-25, name: \"Christmas\"}\n  - {date: 2026-12-26, until: 2026-12-27, name: \"Boxing: \\\"Day\\\"\"}\n"
	fresh := strings.Replace(merged, "Christmas", "Another name", 1)
	for name, c := range map[string]struct{ before, after string }{
		"none yet":        {"# Ours.\ntime_zone: UTC\n" + plainClocks, "# Ours.\ntime_zone: UTC\n" + plainClocks + fresh},
		"no end of line":  {"time_zone: UTC\n" + strings.TrimSuffix(plainClocks, "\n"), "time_zone: UTC\n" + plainClocks + fresh},
		"in the middle":   {"time_zone: UTC\nholidays: [{date: 2026-12-25, name: Christmas}]\n\n# The clocks.\n" + plainClocks, "time_zone: UTC\n" + merged + "\n# The clocks.\n" + plainClocks},
		"a block":         {"time_zone: UTC\nholidays:\n  - date: 2026-12-25\n    name: Christmas\n" + plainClocks, "time_zone: UTC\n" + merged + plainClocks},
		"over some lines": {"time_zone: UTC\nholidays: [\n  {date: 2026-12-25,\n   name: Christmas}\n]\n" + plainClocks, "time_zone: UTC\n" + merged + plainClocks},
		"at the end":      {"time_zone: UTC\n" + plainClocks + "holidays: [{date: 2026-12-25, name: Christmas}]\n# The end.\n", "time_zone: UTC\n" + plainClocks + merged + "# The end.\n"},
	} {
		t.Run(name, func(t *testing.T) {
			after, added, err := policy.MergeHolidays([]byte(c.before), more)
			if err != nil || string(after) != c.after {
				t.Errorf("%v\n%s\nwant\n%s", err, after, c.after)
			}
			if again, none, err := policy.MergeHolidays(after, more); err != nil || len(none) > 0 || string(again) != string(after) || len(added) < 3 {
				t.Errorf("again %v, %v; first %d", none, err, len(added))
			}
		})
	}
	flow := `{time_zone: UTC, clocks: {first_response: {target: 1h, counts: calendar}, resolution: {target: 2h, counts: calendar}}}`
	if _, _, err := policy.MergeHolidays([]byte(flow), more); fault.KindOf(err) != fault.Invalid {
		t.Errorf("a document on one line: %v", err)
	}
}
