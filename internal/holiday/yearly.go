package holiday

import (
	"slices"
	"time"

	"github.com/teambition/rrule-go"
)

// yearly is a recurrence rule with FREQ=YEARLY on whole days (RFC 5545, 3.3.10). rrule-go is not used to expand it,
// because it searches all years until 9999 for the next day: a rule that matches no day, such as 30 February, costs
// milliseconds and cannot be interrupted. Here the cost of a year is its number of days.
type yearly struct {
	rrule.ROption
	first time.Time // DTSTART; earlier days do not match
}

// between returns the days of the rule in a range, ascending. Every year that it looks at is charged.
func (y yearly) between(from, to time.Time, used *budget) ([]time.Time, error) {
	if !y.Until.IsZero() && y.Until.Before(to) {
		to = y.Until
	}
	var days []time.Time
	counted := 0
	for year := y.first.Year(); year <= to.Year(); year += max(1, y.Interval) {
		if err := used.spend(1, 0, 0); err != nil {
			return nil, err
		}
		for _, day := range y.places(y.of(year)) {
			if day.Before(y.first) {
				continue
			}
			counted++
			if day.After(to) || y.Count > 0 && counted > y.Count {
				return days, nil
			}
			if !day.Before(from) {
				days = append(days, day)
			}
		}
	}
	return days, nil
}

// of returns the days in a year that match the rule.
func (y yearly) of(year int) []time.Time {
	var days []time.Time
	for month := time.January; month <= time.December; month++ {
		if len(y.Bymonth) > 0 && !in(y.Bymonth, int(month)) {
			continue
		}
		for day := time.Date(year, month, 1, 0, 0, 0, 0, time.UTC); day.Month() == month; day = day.AddDate(0, 0, 1) {
			if y.matches(day) {
				days = append(days, day)
			}
		}
	}
	return days
}

// matches reports whether a day, of one of the rule's months, matches the rest of the rule.
func (y yearly) matches(day time.Time) bool {
	if len(y.Byweekno)+len(y.Byyearday)+len(y.Bymonthday)+len(y.Byweekday) == 0 { // the day of DTSTART
		return day.Day() == y.first.Day() && (len(y.Bymonth) > 0 || day.Month() == y.first.Month())
	}
	return (len(y.Bymonthday) == 0 || in(y.Bymonthday, day.Day(), day.Day()-1-daysIn(day))) &&
		(len(y.Byyearday) == 0 || in(y.Byyearday, day.YearDay(), day.YearDay()-1-newYear(day.Year()+1).AddDate(0, 0, -1).YearDay())) &&
		(len(y.Byweekno) == 0 || y.inWeek(day)) &&
		(len(y.Byweekday) == 0 || slices.ContainsFunc(y.Byweekday, func(w rrule.Weekday) bool { return y.isWeekday(day, w) }))
}

// isWeekday reports whether a day is a weekday of the rule: any, or the nth of the month (with BYMONTH) or the year,
// from the start or the end.
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

// inWeek reports whether a day is in one of the rule's weeks. Week 1 is the first with at least four days in its year.
func (y yearly) inWeek(day time.Time) bool {
	start := day.AddDate(0, 0, -((monday(day.Weekday()) - y.Wkst.Day() + 7) % 7)) // the week's first day
	year := start.AddDate(0, 0, 3).Year()                                         // the year that the week belongs to
	number := (start.AddDate(0, 0, 3).YearDay()-1)/7 + 1
	last := 52
	if start.AddDate(0, 0, 3+7*(53-number)).Year() == year {
		last = 53
	}
	return in(y.Byweekno, number, number-1-last)
}

// places applies BYSETPOS to the days of a year.
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

// daysIn returns the number of days in the month.
func daysIn(day time.Time) int {
	return time.Date(day.Year(), day.Month()+1, 0, 0, 0, 0, 0, time.UTC).Day()
}

// monday returns a weekday counted from Monday = 0, as in rrule-go.
func monday(w time.Weekday) int { return (int(w) + 6) % 7 }
