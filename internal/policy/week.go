package policy

import (
	"slices"
	"sort"
)

const (
	secondsPerDay = 24 * 60 * 60
	daysPerWeek   = 7
	// epochWeekday is the weekday of 1970-01-01, a Thursday, as time.Weekday counts.
	epochWeekday = 4
)

// span is a part of a local day, [start, end) in seconds of its wall clock since midnight.
type span struct{ start, end int64 }

// week is the open time of every week, less the holidays, on a wall clock that never jumps. Its instants are local:
// seconds of the wall clock since 1970-01-01 00:00. Daylight saving is the Calendar's concern.
//
// It answers by arithmetic, never day by day, so a closure of ten years costs what a night costs.
type week struct {
	spans  [daysPerWeek][]span    // by time.Weekday, ascending, apart
	before [daysPerWeek + 1]int64 // open seconds of a week before each weekday; the last is a whole week's
	closed []int64                // holidays, as days since 1970-01-01, ascending
	lost   []int64                // lost[i] is the open seconds that closed[:i] take away
}

func newWeek(spans [daysPerWeek][]span, closed []int64) *week {
	w := &week{spans: spans, closed: slices.Clone(closed)}
	for day, today := range spans {
		w.before[day+1] = w.before[day] + openBefore(today, secondsPerDay)
	}
	slices.Sort(w.closed)
	w.closed = slices.Compact(w.closed)
	w.lost = make([]int64, len(w.closed)+1)
	for i, day := range w.closed {
		w.lost[i+1] = w.lost[i] + openBefore(spans[weekday(day)], secondsPerDay)
	}
	return w
}

// opens reports whether any week has open time. Holidays are finite, so such a week opens again and again.
func (w *week) opens() bool { return w.before[daysPerWeek] > 0 }

// until is the open time before a local instant, counted from an origin that cancels out in differences.
// It never decreases.
func (w *week) until(local int64) int64 {
	day, second := floorDiv(local, secondsPerDay)
	weeks, wd := floorDiv(day+epochWeekday, daysPerWeek)
	open := weeks*w.before[daysPerWeek] + w.before[wd]
	i, holiday := slices.BinarySearch(w.closed, day)
	if !holiday {
		open += openBefore(w.spans[wd], second)
	}
	return open - w.lost[i]
}

// reach is the first local instant in (from, to] with until = goal. It must exist: until(from) < goal <= until(to).
func (w *week) reach(from, to, goal int64) int64 {
	return from + int64(sort.Search(int(to-from), func(i int) bool { return w.until(from+int64(i)) >= goal }))
}

// closes is the end of the span that a local instant lies in, or the instant itself if the week is not open then.
func (w *week) closes(local int64) int64 {
	day, second := floorDiv(local, secondsPerDay)
	if _, holiday := slices.BinarySearch(w.closed, day); holiday {
		return local
	}
	for _, s := range w.spans[weekday(day)] {
		if s.start <= second && second < s.end {
			return day*secondsPerDay + s.end
		}
	}
	return local
}

func openBefore(spans []span, second int64) int64 {
	var open int64
	for _, s := range spans {
		open += max(0, min(second, s.end)-s.start)
	}
	return open
}

func weekday(day int64) int64 {
	_, wd := floorDiv(day+epochWeekday, daysPerWeek)
	return wd
}

// floorDiv rounds towards the past, so that the remainder is never negative.
func floorDiv(a, b int64) (quotient, remainder int64) {
	quotient, remainder = a/b, a%b
	if remainder < 0 {
		quotient, remainder = quotient-1, remainder+b
	}
	return quotient, remainder
}
