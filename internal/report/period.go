package report

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	usualWeeks   = 12  // of a report that names no period
	longestWeeks = 160 // about three years
)

// Period reads a report's first and last day, such as 2026-11-30, in a zone: the period runs from the first day's
// midnight to the one after the last. Without a last day it ends today, and without a first it has twelve weeks, the
// current one among them. What can't be read is Invalid, by the fields from and to.
func Period(now time.Time, zone *time.Location, first, last string) (from, to time.Time, err error) {
	var wrong []fault.Detail
	day := func(field, text string, otherwise time.Time) time.Time {
		if text == "" {
			return otherwise
		}
		t, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil || t.Year() < 2000 || t.Year() > 9000 {
			wrong = append(wrong, fault.Detail{Field: field, Message: "is not a day such as 2026-11-30"})
		}
		return t
	}
	today := now.In(zone)
	end := day("to", last, time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, zone))
	end = time.Date(end.Year(), end.Month(), end.Day()+1, 0, 0, 0, 0, zone)
	week := Weeks(end.Add(-time.Second), end, zone)[0].In(zone)
	start := day("from", first, time.Date(week.Year(), week.Month(), week.Day()-7*(usualWeeks-1), 0, 0, 0, 0, zone))
	switch {
	case len(wrong) > 0:
	case !start.Before(end):
		wrong = append(wrong, fault.Detail{Field: "from", Message: "is after the last day"})
	case len(Weeks(start, end, zone)) > longestWeeks:
		wrong = append(wrong, fault.Detail{Field: "from", Message: "is more than three years before the last day"})
	}
	if len(wrong) > 0 {
		return time.Time{}, time.Time{}, fault.Fields(wrong...)
	}
	return start.UTC(), end.UTC(), nil
}

// Weeks returns the first instants of the weeks that a period touches, in a zone: midnights of Mondays.
func Weeks(from, to time.Time, zone *time.Location) []time.Time {
	local := from.In(zone)
	sinceMonday := (int(local.Weekday()) + 6) % 7
	var weeks []time.Time
	for day := local.Day() - sinceMonday; ; day += 7 {
		start := time.Date(local.Year(), local.Month(), day, 0, 0, 0, 0, zone).UTC()
		if len(weeks) > 0 && !start.Before(to) {
			return weeks
		}
		weeks = append(weeks, start)
	}
}
