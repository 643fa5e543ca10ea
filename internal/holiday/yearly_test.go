package holiday_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/teambition/rrule-go"
)

// The rest of a file is read, however many rules match no day. Searching for one until the year 9999 took half a minute
// for 500 rules; it would use up after three what a file may cost, and the file be refused.
func TestRead_ruleThatMatchesNoDay(t *testing.T) {
	for _, rule := range []string{
		"BYMONTH=2;BYMONTHDAY=30", "BYMONTH=2;BYMONTHDAY=-30", "BYMONTH=4,6,9,11;BYMONTHDAY=31", "BYYEARDAY=1;BYMONTH=12", "BYMONTH=1;BYDAY=6MO",
		"BYWEEKNO=30;BYMONTH=1", "BYMONTHDAY=1;BYSETPOS=13", "BYMONTH=2;BYMONTHDAY=29;INTERVAL=100", "BYMONTH=2;BYMONTHDAY=30;UNTIL=99991231",
	} {
		events := slices.Repeat([]string{"DTSTART;VALUE=DATE:20230101\nRRULE:FREQ=YEARLY;" + rule}, 1000)
		got, err := read(file(append(events, "DTSTART;VALUE=DATE:20261225\nSUMMARY:Christmas Day")...))
		if err != nil || !slices.Equal(got, []string{"2026-12-25 Christmas Day"}) {
			t.Errorf("%s: got %q, %v", rule, got, err)
		}
	}
}

// Rules that match are compared with rrule-go, 7,600 years later: the calendar is the same every 400 years, and rrule-go
// searches until the year 9999 for a day that matches.
func TestRead_agreesWithRRule(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	several := func(name string, most int, text func() string) string {
		if random.IntN(3) > 0 {
			return ""
		}
		all := make([]string, 1+random.IntN(most))
		for i := range all {
			all[i] = text()
		}
		return ";" + name + "=" + strings.Join(all, ",")
	}
	number := func(most int, negative bool) func() string {
		return func() string {
			n := 1 + random.IntN(most)
			if negative && random.IntN(3) == 0 {
				n = -n
			}
			return fmt.Sprint(n)
		}
	}
	weekdays := []string{"MO", "TU", "WE", "TH", "FR", "SA", "SU"}
	matched := 0
	const later = 19 * 400
	for range 1000 {
		first := time.Date(2015+random.IntN(14), time.Month(1+random.IntN(12)), 1+random.IntN(28), 0, 0, 0, 0, time.UTC)
		text := "FREQ=YEARLY" + several("BYMONTH", 3, number(12, false)) + several("BYMONTHDAY", 10, number(31, true)) + several("BYYEARDAY", 40, number(366, true))
		numbered := random.IntN(2) == 0 // rrule-go wants both of plain and numbered ones, where either is meant
		weeks := ""
		if !numbered {
			weeks = several("BYWEEKNO", 8, number(53, false))
		}
		text += weeks + several("BYDAY", 3, func() string {
			day := weekdays[random.IntN(7)]
			if numbered {
				return number(5, true)() + day
			}
			return day
		})
		text += several("INTERVAL", 1, number(3, false)) + several("COUNT", 1, number(60, false))
		if weeks == "" { // rrule-go counts the weeks of the year before wrongly when they don't begin on Monday
			text += several("WKST", 1, func() string { return weekdays[random.IntN(7)] })
		}
		if strings.Count(text, "BY") > 0 {
			text += several("BYSETPOS", 2, number(3, true))
		}
		oracle, err := rrule.StrToRRule("DTSTART:" + first.AddDate(later, 0, 0).Format("20060102T150405Z") + "\nRRULE:" + text)
		if err != nil {
			t.Fatal(text, err)
		}
		var want []string
		next := oracle.Iterator()
		for day, more := next(); more && day.Year() < later+2028; day, more = next() {
			if day.Year() >= later+2026 {
				want = append(want, day.AddDate(-later, 0, 0).Format(time.DateOnly))
			}
		}
		got, err := read(file("DTSTART;VALUE=DATE:" + first.Format("20060102") + "\nRRULE:" + text))
		if err != nil || !slices.Equal(got, want) {
			t.Fatalf("%s from %s: got %v, %v, want %v", text, first.Format(time.DateOnly), got, err, want)
		}
		if len(want) > 0 {
			matched++
		}
	}
	if matched < 200 {
		t.Errorf("only %d rules matched a day", matched)
	}
}
