package holiday

import (
	"slices"
	"time"

	"github.com/teambition/rrule-go"
)

// yearly is a rule of recurrence with FREQ=YEARLY on whole days (RFC 5545, 3.3.10). It is worked out here and not by
// rrule-go, which looks for a rule's next day through all years to 9999: a rule that matches no day, such as 30 February,
// costs it milliseconds each and can't be stopped. Here a year costs its days, whatever the rule.
type yearly struct {
	rrule.ROption
	first time.Time // DTSTART; no day before it counts
}

// between returns the rule's days from one day to another, ascending.
func (y yearly) between(from, to time.Time) []time.Time {
	if !y.Until.IsZero() && y.Until.Before(to) {
		to = y.Until
	}
	var days []time.Time
	counted := 0
	for year := y.first.Year(); year <= to.Year(); year += max(1, y.Interval) {
		for _, day := range y.places(y.of(year)) {
			if day.Before(y.first) {
				continue
			}
			counted++
			if day.After(to) || y.Count > 0 && counted > y.Count {
				return days
			}
			if !day.Before(from) {
				days = append(days, day)
			}
		}
	}
	return days
}

// of returns the days of a year that match every part of the rule.
func (y yearly) of(year int) []time.Time {
	var days []time.Time
	for day := newYear(year); day.Year() == year; day = day.AddDate(0, 0, 1) {
		if y.matches(day) {
			days = append(days, day)
		}
	}
	return days
}

func (y yearly) matches(day time.Time) bool {
	if len(y.Byweekno)+len(y.Byyearday)+len(y.Bymonthday)+len(y.Byweekday) == 0 { // the day of DTSTART
		return day.Day() == y.first.Day() && (in(y.Bymonth, int(day.Month())) || len(y.Bymonth) == 0 && day.Month() == y.first.Month())
	}
	return (len(y.Bymonth) == 0 || in(y.Bymonth, int(day.Month()))) &&
		(len(y.Bymonthday) == 0 || in(y.Bymonthday, day.Day(), day.Day()-1-daysIn(day))) &&
		(len(y.Byyearday) == 0 || in(y.Byyearday, day.YearDay(), day.YearDay()-1-newYear(day.Year()+1).AddDate(0, 0, -1).YearDay())) &&
		(len(y.Byweekno) == 0 || y.inWeek(day)) &&
		(len(y.Byweekday) == 0 || slices.ContainsFunc(y.Byweekday, func(w rrule.Weekday) bool { return y.isWeekday(day, w) }))
}

// isWeekday reports whether a day is that weekday, and where the rule numbers it, that one of the month's (with BYMONTH)
// or of the year's, from the front or from the back.
func (y yearly) isWeekday(day time.Time, w rrule.Weekday) bool {
	if monday(day.Weekday()) != w.Day() {
		return false
	}
	at, length := day.YearDay(), newYear(day.Year()+1).AddDate(0, 0, -1).YearDay()
	if len(y.Bymonth) > 0 {
		at, length = day.Day(), daysIn(day)
	}
	return w.N() == 0 || w.N() == (at-1)/7+1 || w.N() == -((length-at)/7+1)
}

// inWeek reports whether a day lies in one of the rule's weeks. Week 1 is the first with four days or more in its year.
func (y yearly) inWeek(day time.Time) bool {
	start := day.AddDate(0, 0, -((monday(day.Weekday()) - y.Wkst.Day() + 7) % 7)) // the week's first day
	year := start.AddDate(0, 0, 3).Year()                                         // whose week it is
	number := (start.AddDate(0, 0, 3).YearDay()-1)/7 + 1
	last := 52
	if start.AddDate(0, 0, 3+7*(53-number)).Year() == year {
		last = 53
	}
	return in(y.Byweekno, number, number-1-last)
}

// places keeps the days at the rule's places among a year's, where it names any.
func (y yearly) places(days []time.Time) []time.Time {
	if len(y.Bysetpos) == 0 {
		return days
	}
	var kept []time.Time
	for i, day := range days {
		if in(y.Bysetpos, i+1, i-len(days)) {
			kept = append(kept, day)
		}
	}
	return kept
}

func in(all []int, any ...int) bool {
	return slices.ContainsFunc(any, func(n int) bool { return slices.Contains(all, n) })
}

func newYear(year int) time.Time { return time.Date(year, time.January, 1, 0, 0, 0, 0, time.UTC) }

// daysIn is how many days the day's month has.
func daysIn(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// monday is a weekday as rrule-go counts them, from Monday as 0.
func monday(w time.Weekday) int { return (int(w) + 6) % 7 }
