package holiday_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/holiday"
)

// file returns a calendar with events, each a few lines.
func file(events ...string) string {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//test//EN\n")
	for i, e := range events {
		fmt.Fprintf(&b, "BEGIN:VEVENT\nUID:%d\nDTSTAMP:20260101T000000Z\n%s\nEND:VEVENT\n", i, e)
	}
	b.WriteString("END:VCALENDAR\n")
	return strings.ReplaceAll(b.String(), "\n", "\r\n")
}

func read(text string) ([]string, error) {
	days, err := holiday.Parse(strings.NewReader(text), holiday.Years(time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC), 2))
	var all []string
	for _, d := range days {
		all = append(all, strings.TrimSpace(d.Date.Format(time.DateOnly)+" "+d.Name))
	}
	return all, err
}

func TestRead_returnsTheDaysOfEvents(t *testing.T) {
	for name, c := range map[string]struct {
		file string
		want []string
	}{
		"one day":             {file("DTSTART;VALUE=DATE:20261225\nDTEND;VALUE=DATE:20261226\nSUMMARY:Christmas Day"), []string{"2026-12-25 Christmas Day"}},
		"without an end":      {file("DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas\\, Day"), []string{"2026-12-25 Christmas, Day"}},
		"several days":        {file("DTSTART;VALUE=DATE:20261224\nDTEND;VALUE=DATE:20261227\nSUMMARY:Xmas"), []string{"2026-12-24 Xmas", "2026-12-25 Xmas", "2026-12-26 Xmas"}},
		"by its duration":     {file("DTSTART;VALUE=DATE:20261224\nDURATION:P2D"), []string{"2026-12-24", "2026-12-25"}},
		"every year":          {file("DTSTART;VALUE=DATE:19990101\nRRULE:FREQ=YEARLY\nSUMMARY:New Year"), []string{"2026-01-01 New Year", "2027-01-01 New Year"}},
		"until":               {file("DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY;UNTIL=20260601\nSUMMARY:New Year"), []string{"2026-01-01 New Year"}},
		"a weekday":           {file("DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nSUMMARY:Thanks"), []string{"2026-11-26 Thanks", "2027-11-25 Thanks"}},
		"but not this year":   {file("DTSTART;VALUE=DATE:20200501\nRRULE:FREQ=YEARLY\nEXDATE;VALUE=DATE:20260501"), []string{"2027-05-01"}},
		"over New Year":       {file("DTSTART;VALUE=DATE:20251230\nDTEND;VALUE=DATE:20260103\nSUMMARY:Closed"), []string{"2026-01-01 Closed", "2026-01-02 Closed"}},
		"two of one day":      {file("DTSTART;VALUE=DATE:20260501\nSUMMARY:May Day", "DTSTART;VALUE=DATE:20260501\nSUMMARY:Ascension", "DTSTART;VALUE=DATE:20260501\nSUMMARY:May Day"), []string{"2026-05-01 May Day, Ascension"}},
		"a time of day":       {file("DTSTART:20261224T120000Z\nSUMMARY:Party"), nil},
		"cancelled":           {file("DTSTART;VALUE=DATE:20261224\nSTATUS:CANCELLED"), nil},
		"another year":        {file("DTSTART;VALUE=DATE:20301224"), nil},
		"a name over lines":   {file("DTSTART;VALUE=DATE:20260501\nSUMMARY:a\\nb\tc"), []string{"2026-05-01 a b c"}},
		"two calendars":       {file("DTSTART;VALUE=DATE:20260501") + file("DTSTART;VALUE=DATE:20260502"), []string{"2026-05-01", "2026-05-02"}},
		"no events":           {file(), nil},
		"a very long summary": {file("DTSTART;VALUE=DATE:20260501\nSUMMARY:" + strings.Repeat("x", 500)), []string{"2026-05-01 " + strings.Repeat("x", 200)}},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := read(c.file); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func TestRead_rejectsInvalidFiles(t *testing.T) {
	many := make([]string, 5001)
	for i := range many {
		many[i] = "DTSTART;VALUE=DATE:20260501"
	}
	for name, c := range map[string]struct{ file, want string }{
		"nothing":            {"", "it is empty"},
		"no calendar":        {"<html>", "not an iCalendar file"},
		"no equal sign":      {"BEGIN:VCALENDAR\r\nX;a:b\r\n", "missing equal sign"},
		"half of one":        {file("DTSTART;VALUE=DATE:20260501")[:100], "not an iCalendar file"},
		"too long a file":    {file("DTSTART;VALUE=DATE:20260501\nSUMMARY:" + strings.Repeat("x", 2<<20)), "over 1024 KiB"},
		"too many events":    {file(many...), "more than 5000 events"},
		"every second":       {file("DTSTART;VALUE=DATE:20260501\nSUMMARY:Boom\nRRULE:FREQ=SECONDLY"), `the event "Boom" has the recurrence rule "FREQ=SECONDLY"`},
		"every second again": {file("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;BYHOUR=1,2,3;BYSECOND=1,2"), "only yearly ones are supported"},
		"a rule of nonsense": {file("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=NEVER"), "invalid recurrence rule"},
		"a day of nonsense":  {file("DTSTART;VALUE=DATE:20261341"), "is not a date"},
		"long ago":           {file("DTSTART;VALUE=DATE:00010101\nRRULE:FREQ=YEARLY"), "is not a date"},
		"a century":          {file("DTSTART;VALUE=DATE:20000101\nDTEND;VALUE=DATE:21000101"), "at most 366"},
		"backwards":          {file("DTSTART;VALUE=DATE:20260501\nDTEND;VALUE=DATE:20260401"), "ends before"},
		"a panic":            {file("DTSTART;TZID=\"Europe/Berlin:20261224T120000\""), "this is not an iCalendar file: a line can't be parsed"},
		"no such month":      {file("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;BYMONTH=13"), "contradictory"},
		"by Easter":          {file("DTSTART;VALUE=DATE:20260501\nRRULE:FREQ=YEARLY;BYEASTER=1"), "only yearly ones are supported"},
		"no start":           {file("SUMMARY:When?"), "has no start"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := read(c.file)
			if fault.KindOf(err) != fault.Invalid || strings.Count(err.Error(), c.want) != 1 {
				t.Errorf("got %v, %v, want %q once", got, err, c.want)
			}
		})
	}
}

// Each of these is within the size limit and used to take seconds, minutes or forever. What it costs is charged before it
// is done, so a file that is refused for its cost has not cost more.
func TestRead_boundsTheCostOfHostileFiles(t *testing.T) {
	several := func(n int, event string) string { return file(slices.Repeat([]string{event}, n)...) }
	day, all := "DTSTART;VALUE=DATE:20260101\n", "BYDAY=MO,TU,WE,TH,FR,SA,SU"
	for name, text := range map[string]string{
		"places":              file(day + "RRULE:FREQ=YEARLY;" + all + ";BYSETPOS=1" + strings.Repeat(",-1", 60_000)),
		"days of a year":      file(day + "RRULE:FREQ=YEARLY;BYYEARDAY=1" + strings.Repeat(",2", 60_000)),
		"no day, often":       several(5000, "DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=YEARLY;COUNT=1000;BYMONTH=2;BYMONTHDAY=30"),
		"every day":           several(5000, "DTSTART;VALUE=DATE:19000101\nRRULE:FREQ=YEARLY;COUNT=1000;BYMONTH=6;BYWEEKNO=53;"+all),
		"every day, a year":   several(5000, day+"DTEND;VALUE=DATE:20261231\nRRULE:FREQ=YEARLY;"+all),
		"days and exceptions": file(day + "RDATE;VALUE=DATE:20260501" + strings.Repeat(",20260502", 50_000) + "\nEXDATE;VALUE=DATE:20270501" + strings.Repeat(",20270502", 50_000)),
		"long days":           file(day + "DTEND;VALUE=DATE:20261231\nRDATE;VALUE=DATE:20260501" + strings.Repeat(",20260502", 10_000)),
	} {
		t.Run(name, func(t *testing.T) {
			began := time.Now()
			_, err := read(text)
			if fault.KindOf(err) != fault.Invalid || len(err.Error()) > 300 {
				t.Errorf("got %v", err)
			}
			if took := time.Since(began); took > time.Minute { // it takes less than a second
				t.Errorf("it is refused after %s", took)
			}
		})
	}
}

// The result does not depend on where the expansion of a rule starts.
func TestRead_expandsOldRules(t *testing.T) {
	for name, c := range map[string]struct {
		event string
		want  []string
	}{
		"every fourth year":       {"DTSTART;VALUE=DATE:19230401\nRRULE:FREQ=YEARLY;INTERVAL=4", []string{"2027-04-01"}},
		"on a leap day":           {"DTSTART;VALUE=DATE:19200229\nRRULE:FREQ=YEARLY", nil},
		"February's last":         {"DTSTART;VALUE=DATE:19200229\nRRULE:FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=-1", []string{"2026-02-28", "2027-02-28"}},
		"a hundred times":         {"DTSTART;VALUE=DATE:19270501\nRRULE:FREQ=YEARLY;COUNT=100", []string{"2026-05-01"}},
		"the last Monday":         {"DTSTART;VALUE=DATE:19710531\nRRULE:FREQ=YEARLY;BYMONTH=5;BYDAY=-1MO", []string{"2026-05-25", "2027-05-31"}},
		"a week from Saturday on": {"DTSTART;VALUE=DATE:20200101\nRRULE:FREQ=YEARLY;BYWEEKNO=52;WKST=SA;BYDAY=FR,SA", []string{"2026-01-02", "2026-12-26", "2027-01-01", "2027-12-25", "2027-12-31"}},
		"over the New Year":       {"DTSTART;VALUE=DATE:19001231\nDTEND;VALUE=DATE:19010102\nRRULE:FREQ=YEARLY", []string{"2026-01-01", "2026-12-31", "2027-01-01", "2027-12-31"}},
		"until long ago":          {"DTSTART;VALUE=DATE:19001231\nRRULE:FREQ=YEARLY;UNTIL=19800101", nil},
	} {
		t.Run(name, func(t *testing.T) {
			if got, err := read(file(c.event)); err != nil || !slices.Equal(got, c.want) {
				t.Errorf("got %q, %v, want %q", got, err, c.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(file("DTSTART;VALUE=DATE:20201126\nRRULE:FREQ=YEARLY;BYMONTH=11;BYDAY=4TH\nSUMMARY:Thanks"))
	f.Add(file("DTSTART;VALUE=DATE:20261224\nDURATION:P2D\nEXDATE:20261224,20261225"))
	f.Fuzz(func(t *testing.T, text string) {
		days, err := read(text)
		if err != nil && fault.KindOf(err) != fault.Invalid {
			t.Errorf("%v", err)
		}
		if !slices.IsSorted(days) || len(days) > 731 {
			t.Errorf("%d days: %q", len(days), days)
		}
	})
}
