package report

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	defaultWeeks = 12
	maxWeeks     = 160 // about three years
)

// Period parses a report's first and last day, such as 2026-11-30, in a zone, and returns the period [from, to) that
// includes both. An empty last day is today, and an empty first day makes a period of twelve weeks. Period returns an
// Invalid fault that names the invalid fields: from, to.
func Period(now time.Time, zone *time.Location, first, last string) (from, to time.Time, err error) {
	var wrong fault.Details
	day := func(field, text string, otherwise time.Time) time.Time {
		if text == "" {
			return otherwise
		}
		t, err := time.ParseInLocation(time.DateOnly, text, zone)
		if err != nil || t.Year() < 2000 || t.Year() > 9000 {
			wrong.Add(field, "is not a day such as 2026-11-30")
		}
		return t
	}
	today := now.In(zone)
	end := day("to", last, time.Date(today.Year(), today.Month(), today.Day(), 0, 0, 0, 0, zone))
	end = time.Date(end.Year(), end.Month(), end.Day()+1, 0, 0, 0, 0, zone)
	week := Weeks(end.Add(-time.Second), end, zone)[0].In(zone)
	start := day("from", first, time.Date(week.Year(), week.Month(), week.Day()-7*(defaultWeeks-1), 0, 0, 0, 0, zone))
	switch {
	case len(wrong) > 0:
	case !start.Before(end):
		wrong.Add("from", "is after the last day")
	case len(Weeks(start, end, zone)) > maxWeeks:
		wrong.Add("from", "is more than three years before the last day")
	}
	if err := wrong.Err(); err != nil {
		return time.Time{}, time.Time{}, err
	}
	return start.UTC(), end.UTC(), nil
}

// Weeks returns the starts of the weeks that overlap a period: midnights of Mondays in a zone.
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
