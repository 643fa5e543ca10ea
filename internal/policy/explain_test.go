package policy_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

func texts(lines []policy.Line) string {
	var all []string
	for _, line := range lines {
		all = append(all, line.Text)
	}
	return strings.Join(all, "\n")
}

func wantText(t *testing.T, got []policy.Line, want string) {
	t.Helper()
	if got, want := texts(got), strings.TrimSpace(want); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestExplain_listsEveryIntervalUntilTheDeadline(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountBusinessHours, utc(t, "2026-11-30 09:00"), 72*time.Hour)
	c.pause(utc(t, "2026-12-01 12:00"), policy.ReasonWaiting)
	c.pause(utc(t, "2026-12-01 13:30:20"), policy.ReasonEmergency)
	c.resume(utc(t, "2026-12-02 09:00"), policy.ReasonWaiting)
	c.resume(utc(t, "2026-12-03 11:00"), policy.ReasonEmergency)
	c.do(c.Extend(c.calendar, utc(t, "2026-12-03 12:00"), 7*time.Hour))
	got := c.Explain(c.calendar, utc(t, "2026-12-05 12:00"))
	wantText(t, got, `
Mon 30 Nov 09:00 UTC: started with 72h, counted during opening hours
Mon 30 Nov 10:00 to 17:00 UTC: running, 7h used, 65h left
Tue 1 Dec 10:00 to 12:00 UTC: running, 2h used, 63h left
Tue 1 Dec 12:00 to 13:30:20 UTC: paused (waiting for the requester), 63h left
Tue 1 Dec 13:30:20 to Wed 2 Dec 09:00 UTC: paused (emergency, waiting for the requester), 63h left
Wed 2 Dec 09:00 to Thu 3 Dec 11:00 UTC: paused (emergency), 63h left
Thu 3 Dec 11:00 to 12:00 UTC: running, 1h used, 62h left
Thu 3 Dec 12:00 UTC: 7h added, 69h left
Thu 3 Dec 12:00 to 17:00 UTC: running, 5h used, 64h left
Fri 4 Dec 10:00 to 17:00 UTC: running, 7h used, 57h left
Deadline Thu 17 Dec 11:00 UTC, 57h left`)
	second := got[1]
	if !second.From.Equal(utc(t, "2026-11-30 10:00")) || !second.To.Equal(utc(t, "2026-11-30 17:00")) || !second.Running || second.Used != 7*time.Hour {
		t.Errorf("second line %+v", second)
	}
	if want := []policy.Reason{policy.ReasonEmergency, policy.ReasonWaiting}; !slices.Equal(got[4].Reasons, want) || got[4].Running {
		t.Errorf("fifth line %+v", got[4])
	}
}

func TestExplain_endsWithTheDeadlineOrWhyThereIsNone(t *testing.T) {
	calendar := weekdays("Europe/Berlin").calendar(t)
	begin := func() *testClock {
		return start(t, calendar, policy.CountCalendar, utc(t, "2026-10-24 10:00"), 48*time.Hour)
	}
	paused, met, late, passed, again := begin(), begin(), begin(), begin(), begin()
	paused.pause(utc(t, "2026-10-24 16:00"), policy.ReasonWaiting)
	met.settle(utc(t, "2026-10-25 10:00"))
	late.settle(utc(t, "2026-10-26 10:00:01"))
	again.do(again.Extend(calendar, utc(t, "2026-10-27 10:00"), 72*time.Hour))
	tests := map[string]struct {
		clock policy.Clock
		want  string
	}{
		"not started": {policy.Clock{}, "Wed 28 Oct 13:00 CET: not started, so there is no deadline"},
		"paused":      {paused.Clock, "No deadline while paused (waiting for the requester): 1d18h left when it resumes"},
		"met":         {met.Clock, "Target met on time"},
		"late":        {late.Clock, "Target met after the deadline, Mon 26 Oct 11:00 CET"},
		"passed":      {passed.Clock, "Deadline passed, Mon 26 Oct 11:00 CET, 2d2h over"},
		"missed once": {again.Clock, "Deadline Thu 29 Oct 11:00 CET, 22h left; an earlier deadline was missed, Mon 26 Oct 11:00 CET"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			lines := tt.clock.Explain(calendar, utc(t, "2026-10-28 12:00"))
			wantText(t, lines[len(lines)-1:], tt.want)
		})
	}
	wantText(t, met.Explain(calendar, utc(t, "2026-10-28 12:00")), `
Sat 24 Oct 12:00 CEST: started with 2d, counted around the clock
Sat 24 Oct 12:00 CEST to Sun 25 Oct 11:00 CET: running, 1d used, 1d left
Sun 25 Oct 11:00 CET: target met, 1d left
Target met on time`)
}

func TestExplain_stopsAtUntil(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountBusinessHours, utc(t, "2026-12-31 16:00"), 2*time.Hour)
	c.settle(utc(t, "2027-01-01 10:30"))
	c.do(c.Reopen(c.calendar, utc(t, "2027-01-01 10:45")))
	wantText(t, c.Explain(c.calendar, utc(t, "2026-12-31 16:30")), `
Thu 31 Dec 16:00 UTC: started with 2h, counted during opening hours
Thu 31 Dec 16:00 to 16:30 UTC: running, 30m used, 1h30m left
Deadline Fri 1 Jan 2027 11:00 UTC, 1h30m left`)
	wantText(t, c.Explain(c.calendar, utc(t, "2027-01-01 12:00")), `
Thu 31 Dec 2026 16:00 UTC: started with 2h, counted during opening hours
Thu 31 Dec 2026 16:00 to 17:00 UTC: running, 1h used, 1h left
Fri 1 Jan 10:00 to 10:30 UTC: running, 30m used, 30m left
Fri 1 Jan 10:30 UTC: target met, 30m left
Fri 1 Jan 10:30 to 10:45 UTC: target met, still running, 15m used, 15m left
Fri 1 Jan 10:45 UTC: reopened, 15m left
Fri 1 Jan 10:45 to 12:00 UTC: running, 1h15m used, 1h over
Deadline passed, Fri 1 Jan 11:00 UTC, 1h over`)
}

func TestExplain_isBounded(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountBusinessHours, utc(t, "2026-11-27 18:00"), 3000*time.Hour)
	wantText(t, c.Explain(c.calendar, utc(t, "2026-11-29 12:00")), `
Fri 27 Nov 18:00 UTC: started with 3000h, counted during opening hours
Fri 27 Nov 18:00 to Sun 29 Nov 12:00 UTC: outside opening hours, 3000h left
Deadline Thu 20 Jul 2028 14:00 UTC, 3000h left`)
	wantText(t, c.Explain(c.calendar, utc(t, "2027-11-29 12:00")), `
Fri 27 Nov 2026 18:00 UTC: started with 3000h, counted during opening hours
Fri 27 Nov 2026 18:00 to Mon 29 Nov 12:00 UTC: running, 1822h used, 1178h left
Deadline Thu 20 Jul 2028 14:00 UTC, 1178h left`)
}

func TestExplain_mergesHoursAcrossMidnight(t *testing.T) {
	night := schedule{zone: "UTC", hours: map[time.Weekday][]string{time.Monday: {"20:00-24:00"}, time.Tuesday: {"00:00-02:00", "02:00-04:00"}}}
	c := start(t, night.calendar(t), policy.CountBusinessHours, utc(t, "2026-11-30 22:00"), 3*time.Hour)
	wantText(t, c.Explain(c.calendar, utc(t, "2026-12-01 12:00")), `
Mon 30 Nov 22:00 UTC: started with 3h, counted during opening hours
Mon 30 Nov 22:00 to Tue 1 Dec 04:00 UTC: running, 6h used, 3h over
Deadline passed, Tue 1 Dec 01:00 UTC, 3h over`)
}

// format formats parts with every instant in UTC, in angle brackets.
func format(parts []policy.Part) string {
	var all strings.Builder
	for _, p := range parts {
		switch {
		case p.From.IsZero():
			all.WriteString(p.Text)
		case p.From.Equal(p.To):
			all.WriteString(p.From.UTC().Format("<01-02 15:04>"))
		default:
			all.WriteString(p.From.UTC().Format("<01-02 15:04-") + p.To.UTC().Format("01-02 15:04>"))
		}
	}
	return all.String()
}

func TestExplain_partsAreIndependentOfTheZone(t *testing.T) {
	calendar := weekdays("Europe/Berlin").calendar(t)
	c := start(t, calendar, policy.CountCalendar, utc(t, "2026-10-24 10:00"), 48*time.Hour)
	c.pause(utc(t, "2026-10-24 16:00"), policy.ReasonWaiting)
	c.resume(utc(t, "2026-10-24 18:00"), policy.ReasonWaiting)
	c.do(c.Extend(calendar, utc(t, "2026-10-27 10:00"), 72*time.Hour))
	var got []string
	for _, line := range c.Explain(calendar, utc(t, "2026-10-28 12:00")) {
		got = append(got, format(line.Parts))
	}
	want := []string{
		"<10-24 10:00>: started with 2d, counted around the clock",
		"<10-24 10:00-10-24 16:00>: running, 6h used, 1d18h left",
		"<10-24 16:00-10-24 18:00>: paused (waiting for the requester), 1d18h left",
		"<10-24 18:00-10-27 10:00>: running, 2d16h used, 22h over",
		"<10-27 10:00>: 3d added, 2d2h left",
		"<10-27 10:00-10-28 12:00>: running, 1d2h used, 1d left",
		"Deadline <10-29 12:00>, 1d left; an earlier deadline was missed, <10-26 12:00>",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	none := policy.Clock{}.Explain(calendar, utc(t, "2026-10-28 12:00"))
	if got := format(none[0].Parts); got != "<10-28 12:00>: not started, so there is no deadline" {
		t.Errorf("got %q", got)
	}
}
