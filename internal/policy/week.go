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

// span is an interval of a local day, [start, end), in seconds of wall clock since midnight.
type span struct{ start, end int64 }

// week is the weekly opening time minus holidays, on a wall clock without daylight saving, which Calendar handles. Its
// instants are local: seconds of wall clock since 1970-01-01 00:00.
//
// Queries take logarithmic time in the number of holidays, however long a closure is.
type week struct {
	spans         [daysPerWeek][]span    // by time.Weekday, ascending, apart
	before        [daysPerWeek + 1]int64 // open seconds of a week before each weekday; the last is the entire week
	closed        []int64                // holidays, as days since 1970-01-01, ascending
	closedSeconds []int64                // closedSeconds[i] is the open seconds that closed[:i] take away
}

func newWeek(spans [daysPerWeek][]span, closed []int64) *week {
	w := &week{spans: spans, closed: slices.Clone(closed)}
	for day, today := range spans {
		w.before[day+1] = w.before[day] + openBefore(today, secondsPerDay)
	}
	slices.Sort(w.closed)
	w.closed = slices.Compact(w.closed)
	w.closedSeconds = make([]int64, len(w.closed)+1)
	for i, day := range w.closed {
		w.closedSeconds[i+1] = w.closedSeconds[i] + openBefore(spans[weekday(day)], secondsPerDay)
	}
	return w
}

// opens reports whether a week has any opening time. As holidays are finite, the desk then opens again and again.
func (w *week) opens() bool { return w.before[daysPerWeek] > 0 }

// openUntil returns the open seconds before a local instant, from an origin that cancels out in differences. It is
// monotonic.
func (w *week) openUntil(local int64) int64 {
	day, second := floorDiv(local, secondsPerDay)
	weeks, wd := floorDiv(day+epochWeekday, daysPerWeek)
	open := weeks*w.before[daysPerWeek] + w.before[wd]
	i, holiday := slices.BinarySearch(w.closed, day)
	if !holiday {
		open += openBefore(w.spans[wd], second)
	}
	return open - w.closedSeconds[i]
}

// search returns the first local instant in (from, to] with openUntil = goal. It must exist: openUntil(from) < goal <=
// openUntil(to).
func (w *week) search(from, to, goal int64) int64 {
	return from + int64(sort.Search(int(to-from), func(i int) bool { return w.openUntil(from+int64(i)) >= goal }))
}

// closesAt returns the end of the span that contains a local instant, or the instant itself if the desk is closed then.
func (w *week) closesAt(local int64) int64 {
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

// floorDiv rounds towards negative infinity, so that the remainder is never negative.
func floorDiv(a, b int64) (quotient, remainder int64) {
	quotient, remainder = a/b, a%b
	if remainder < 0 {
		quotient, remainder = quotient-1, remainder+b
	}
	return quotient, remainder
}
