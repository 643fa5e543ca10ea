package policy

import (
	"fmt"
	"time"
)

// Example is a hypothetical ticket at normal priority and its deadlines. If At is zero there is no such instant, and
// Title says why.
type Example struct {
	Title string
	At    time.Time // UTC
	Deadlines
}

// exampleYear is how far ahead Examples looks for holidays and daylight saving changes.
const exampleYear = 366 * day

// Examples returns the cases that are easily misjudged, soon after now: Monday morning, Friday 16:00, Saturday, the day
// before a holiday, and the weekends on which the clocks change.
func (p *Policy) Examples(now time.Time) []Example {
	examples := []Example{
		p.example("Monday morning", p.next(now, time.Monday, 9)),
		p.example("Friday 16:00", p.next(now, time.Friday, 16)),
		p.example("Saturday", p.next(now, time.Saturday, 12)),
		p.beforeHoliday(now),
	}
	return append(examples, p.clockChanges(now)...)
}

// beforeHoliday prefers a holiday on a day that would otherwise be open.
func (p *Policy) beforeHoliday(now time.Time) Example {
	found := Example{Title: "The day before a holiday: there is none in the coming year"}
	for _, h := range p.Calendar.holidays {
		at := time.Date(h.Date.Year(), h.Date.Month(), h.Date.Day()-1, 16, 0, 0, 0, p.Zone)
		if at.Before(now) || at.Sub(now) > exampleYear {
			continue
		}
		title := "The day before " + h.Date.Format("Mon 2 Jan")
		if h.Name != "" {
			title += ", " + h.Name
		}
		if len(p.Calendar.hours.spans[h.Date.Weekday()]) > 0 {
			return p.example(title, at)
		}
		if found.At.IsZero() {
			found = p.example(title, at)
		}
	}
	return found
}

// clockChanges returns the Fridays before the next two clock changes.
func (p *Policy) clockChanges(now time.Time) []Example {
	var examples []Example
	for at := now.Unix(); len(examples) < 2; {
		next, before := p.Calendar.segment(at)
		if next >= now.Add(exampleYear).Unix() {
			break
		}
		at = next
		_, after := p.Calendar.segment(next)
		if after == before {
			continue
		}
		change := time.Unix(next-1, 0).In(p.Zone)
		friday := time.Date(change.Year(), change.Month(), change.Day()-int(change.Weekday()+2)%daysPerWeek, 16, 0, 0, 0, p.Zone)
		if !friday.Before(change) {
			friday = friday.AddDate(0, 0, -daysPerWeek)
		}
		way := "forward"
		if after < before {
			way = "back"
		}
		title := fmt.Sprintf("The Friday before the clocks go %s (%s)", way, change.Format("Mon 2 Jan 2006"))
		examples = append(examples, p.example(title, friday))
	}
	if len(examples) == 0 {
		return []Example{{Title: "Daylight saving: the clocks of " + p.Zone.String() + " do not change in the coming year"}}
	}
	return examples
}

func (p *Policy) example(title string, at time.Time) Example {
	promises, err := p.DeadlinesFor(at, PriorityNormal)
	if err != nil {
		return Example{Title: title + ": " + err.Error()}
	}
	return Example{Title: title, At: at.UTC(), Deadlines: promises}
}

// next returns the first such weekday and hour after now.
func (p *Policy) next(now time.Time, wd time.Weekday, hour int) time.Time {
	local := now.In(p.Zone)
	ahead := (int(wd-local.Weekday()) + daysPerWeek) % daysPerWeek
	at := time.Date(local.Year(), local.Month(), local.Day()+ahead, hour, 0, 0, 0, p.Zone)
	if at.Before(now) {
		return time.Date(local.Year(), local.Month(), local.Day()+ahead+daysPerWeek, hour, 0, 0, 0, p.Zone)
	}
	return at
}
