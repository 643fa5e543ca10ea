package policy_test

import (
	"bytes"
	"flag"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := "testdata/" + name
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("%s: got\n%s\nwant\n%s", path, got, want)
	}
}

// The sections are those of Holesalemart's published policy.

func TestHolesalemart_section3_targets(t *testing.T) {
	p := policy.Default()
	want := map[policy.ClockName]policy.Rule{
		policy.FirstResponse: {Target: 72 * time.Hour, Counts: policy.CountBusinessHours, RemindAt: 75},
		policy.Resolution: {Target: 10 * 24 * time.Hour, Counts: policy.CountCalendar, RemindAt: 80,
			Pauses: []policy.Reason{policy.ReasonWaiting, policy.ReasonResolved}},
	}
	if !reflect.DeepEqual(p.Clocks, want) {
		t.Errorf("clocks %+v, want %+v", p.Clocks, want)
	}
	for wd := time.Sunday; wd <= time.Saturday; wd++ {
		want := []string{"10:00-17:00"}
		if wd == time.Saturday || wd == time.Sunday {
			want = nil
		}
		if got := p.Calendar.Hours(wd); !slices.Equal(got, want) {
			t.Errorf("%s: %v, want %v", wd, got, want)
		}
	}
	if len(p.Calendar.Holidays()) > 0 || len(p.Priorities) > 0 || p.CustomersChoosePriority || p.Zone != time.UTC {
		t.Error("the published policy has no holidays, no priorities and no zone")
	}
}

func TestHolesalemart_sections8And9_escalationAndContact(t *testing.T) {
	p := policy.Default()
	want := []policy.EscalationStep{
		{Notify: []policy.Audience{policy.NotifyAssignee, policy.NotifySupervisors}, RaisePriority: true},
		{After: 24 * time.Hour, Notify: []policy.Audience{policy.NotifySupervisors, policy.NotifyAdministrators}},
	}
	if !reflect.DeepEqual(p.Escalation, want) {
		t.Errorf("escalation %+v, want %+v", p.Escalation, want)
	}
	if want := (policy.Silence{NudgeAfter: 72 * time.Hour, ResolveAfter: 168 * time.Hour, CloseAfter: 120 * time.Hour}); p.Silence != want {
		t.Errorf("silence %+v, want %+v", p.Silence, want)
	}
	if p.Contact != "support@holesalemart.example" || p.Name != "Holesalemart Customer Support Policy" {
		t.Errorf("%s, %s", p.Name, p.Contact)
	}
}

func TestHolesalemart_section3_deadlines(t *testing.T) {
	for _, tt := range []struct{ name, at, first, resolution string }{
		{"Monday before opening", "2026-11-30 09:00", "2026-12-14 12:00", "2026-12-10 09:00"},
		{"Monday at opening", "2026-11-30 10:00", "2026-12-14 12:00", "2026-12-10 10:00"},
		{"Monday noon", "2026-11-30 12:00", "2026-12-14 14:00", "2026-12-10 12:00"},
		{"two hours from the end of a day", "2026-11-30 15:00", "2026-12-14 17:00", "2026-12-10 15:00"},
		{"a second later, it is the next day", "2026-11-30 15:00:01", "2026-12-15 10:00:01", "2026-12-10 15:00:01"},
		{"Friday 16:00", "2026-12-04 16:00", "2026-12-21 11:00", "2026-12-14 16:00"},
		{"Friday as it closes", "2026-12-04 17:00", "2026-12-21 12:00", "2026-12-14 17:00"},
		{"Saturday", "2026-12-05 12:00", "2026-12-21 12:00", "2026-12-15 12:00"},
		{"Sunday, last second", "2026-12-06 23:59:59", "2026-12-21 12:00", "2026-12-16 23:59:59"},
		{"over the new year", "2026-12-30 10:00", "2027-01-13 12:00", "2027-01-09 10:00"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			want := policy.Deadlines{FirstResponse: utc(t, tt.first), Resolution: utc(t, tt.resolution)}
			for _, priority := range policy.Priorities() {
				got, err := policy.Default().DeadlinesFor(utc(t, tt.at), priority)
				if err != nil || got != want {
					t.Errorf("%s: got %v (%v), want %v", priority, got, err, want)
				}
			}
		})
	}
}

func TestHolesalemart_isACopy(t *testing.T) {
	policy.Holesalemart()[0] = '!'
	if _, err := policy.Parse(policy.Holesalemart()); err != nil {
		t.Errorf("a caller changed the document of another: %v", err)
	}
}

func TestLint_findsHolesalemartsContradiction(t *testing.T) {
	warnings := policy.Default().Lint()
	if len(warnings) != 1 {
		t.Fatalf("warnings %q, want the contradiction alone", warnings)
	}
	for _, want := range []string{
		"always (every priority)",
		"accepted Mon 5 Jan 2026 12:00 UTC: first response by Mon 19 Jan 2026 14:00 UTC, resolution by Thu 15 Jan 2026 12:00 UTC",
		"\n  first_response: {target: 3d, counts: business_days, remind_at: 75%}\n",
		"\n  resolution: {target: 17d, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}",
	} {
		if !strings.Contains(warnings[0], want) {
			t.Errorf("%s\nlacks %q", warnings[0], want)
		}
	}
}

func TestLint_suggestionFixesTheContradiction(t *testing.T) {
	lines := map[string]string{
		"first_response: {target: 72h, counts: business_hours, remind_at: 75%}":                    "first_response: {target: 3d, counts: business_days, remind_at: 75%}",
		"resolution: {target: 10d, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}": "resolution: {target: 17d, counts: calendar, remind_at: 80%, pauses: [waiting, resolved]}",
	}
	for old, line := range lines {
		document := string(policy.Holesalemart())
		changed := strings.Replace(document, "  "+old, "  "+line, 1)
		if changed == document {
			t.Fatalf("the document has no line %q", old)
		}
		if warnings := parse(t, changed).Lint(); len(warnings) > 0 {
			t.Errorf("with %q: %q", line, warnings)
		}
	}
}

func TestLint_findsContradictionsCausedByHolidays(t *testing.T) {
	document := `
time_zone: Europe/Berlin
contact: help@shop.example
hours: {monday: ["09:00-17:00"], tuesday: ["09:00-17:00"], wednesday: ["09:00-17:00"], thursday: ["09:00-17:00"], friday: ["09:00-17:00"]}
holidays: [{date: 2026-12-24, until: 2027-01-03}]
clocks:
  first_response: {target: 8h, counts: business_hours}
  resolution: {target: 10d, counts: calendar, pauses: [waiting]}
priorities: {urgent: {first_response: 7h, resolution: 9d}}
escalation: [{after: 0s, tell: [assignee]}]
`
	warnings := parse(t, document).Lint()
	if len(warnings) != 2 {
		t.Fatalf("warnings %q", warnings)
	}
	for i, wants := range [][]string{
		{"of 8760 hours checked (priority low, normal, high)", "accepted Wed 23 Dec 2026 12:00 CET: first response by Mon 4 Jan 2027 12:00 CET, resolution by Sat 2 Jan 2027 12:00 CET", "\n  resolution: {target: 12d, counts: calendar, pauses: [waiting]}"},
		{"of 8760 hours checked (priority urgent)", "\n  priorities.urgent: resolution: 12d"},
	} {
		for _, want := range wants {
			if !strings.Contains(warnings[i], want) {
				t.Errorf("%s\nlacks %q", warnings[i], want)
			}
		}
	}
	longer := strings.ReplaceAll(strings.ReplaceAll(document, "9d", "12d"), "10d", "12d")
	if warnings := parse(t, longer).Lint(); len(warnings) > 0 {
		t.Errorf("with 12d: %q", warnings)
	}
}

func TestLint_warnings(t *testing.T) {
	got := strings.Join(parse(t, `
time_zone: UTC
clocks:
  first_response: {target: 1h, counts: calendar}
  resolution: {target: 2h, counts: calendar}
priorities: {high: {resolution: 3h}}
silence: {resolve_after: 1d}
`).Lint(), "\n")
	for _, want := range []string{
		"Priority high has a longer resolution target (3h) than priority normal (2h).",
		"clocks.resolution.pauses lacks waiting", "silence.nudge_after is not set", "escalation has no steps", "contact is not set",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("%s\nlacks %q", got, want)
		}
	}
}

func TestWriteCheck_golden(t *testing.T) {
	for name, document := range map[string]string{"holesalemart.txt": string(policy.Holesalemart()), "everything.txt": everything} {
		var out bytes.Buffer
		parse(t, document).WriteCheck(&out, utc(t, "2026-11-30 09:30"))
		golden(t, name, out.String())
	}
}

func TestExamples_coverTheDifficultCases(t *testing.T) {
	tests := map[string]struct {
		document string
		now      string
		want     []string
	}{
		"Berlin": {everything, "2026-11-30 09:30", []string{
			"Monday morning 2026-12-07 08:00", "Friday 16:00 2026-12-04 15:00", "Saturday 2026-12-05 11:00",
			"The day before Fri 25 Dec, Christmas Day 2026-12-24 15:00",
			"The Friday before the clocks go forward (Sun 28 Mar 2027) 2027-03-26 15:00",
			"The Friday before the clocks go back (Sun 31 Oct 2027) 2027-10-29 14:00",
		}},
		"before Monday's hour": {base + "hours: {friday: ['10:00-17:00']}\nholidays: [{date: 2026-12-26}, {date: 2027-01-01, name: New Year}]\n", "2026-11-30 09:00", []string{
			"Monday morning 2026-11-30 09:00", "Friday 16:00 2026-12-04 16:00", "Saturday 2026-12-05 12:00",
			"The day before Fri 1 Jan, New Year 2026-12-31 16:00",
			"Daylight saving: the clocks of UTC do not change in the coming year",
		}},
		"clocks that change on a Friday": {strings.Replace(base, "UTC", "Asia/Jerusalem", 1), "2026-11-30 09:00", []string{
			"Monday morning 2026-12-07 07:00", "Friday 16:00 2026-12-04 14:00", "Saturday 2026-12-05 10:00",
			"The day before a holiday: there is none in the coming year",
			"The Friday before the clocks go forward (Fri 26 Mar 2027) 2027-03-19 14:00",
			"The Friday before the clocks go back (Sun 31 Oct 2027) 2027-10-29 13:00",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := parse(t, tt.document)
			var got []string
			for _, e := range p.Examples(utc(t, tt.now)) {
				if e.At.IsZero() {
					got = append(got, e.Title)
					continue
				}
				got = append(got, e.Title+" "+e.At.Format("2006-01-02 15:04"))
				want, err := p.DeadlinesFor(e.At, policy.PriorityNormal)
				if err != nil || e.Deadlines != want {
					t.Errorf("%s: promises %v, want %v (%v)", e.Title, e.Deadlines, want, err)
				}
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
		})
	}
}
