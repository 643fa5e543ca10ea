package ticket_test

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// calendarOracle counts open time minute by minute, without the arithmetic of the code under test. It examines each minute
// of three years once.
type calendarOracle struct {
	policy   *policy.Policy
	spans    [7][][2]int // in minutes of the day
	holidays map[string]bool
	open     map[policy.CountingMode][]int32 // open minutes from the epoch to each minute
}

var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

const calendarMinutes = 3 * 366 * 24 * 60

// calendarOracles caches the oracle of each policy.
var calendarOracles = map[*policy.Policy]*calendarOracle{}

func calendarOracleOf(p *policy.Policy) *calendarOracle {
	if o := calendarOracles[p]; o != nil {
		return o
	}
	o := &calendarOracle{policy: p, holidays: map[string]bool{}, open: map[policy.CountingMode][]int32{}}
	for _, h := range p.Calendar.Holidays() {
		o.holidays[h.Date.Format(time.DateOnly)] = true
	}
	for wd := range o.spans {
		for _, span := range p.Calendar.Hours(time.Weekday(wd)) {
			var h1, m1, h2, m2 int
			if _, err := fmt.Sscanf(span, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); err != nil {
				panic(err)
			}
			o.spans[wd] = append(o.spans[wd], [2]int{h1*60 + m1, h2*60 + m2})
		}
	}
	calendarOracles[p] = o
	return o
}

func (o *calendarOracle) elapsed(counts policy.CountingMode, from, to time.Time) time.Duration {
	if counts == policy.CountCalendar || !to.After(from) {
		return max(to.Sub(from), 0)
	}
	return o.until(counts, to) - o.until(counts, from)
}

// until returns the open time from the epoch to an instant.
func (o *calendarOracle) until(counts policy.CountingMode, at time.Time) time.Duration {
	table := o.table(counts)
	minute := int(at.Sub(epoch) / time.Minute)
	open := time.Duration(table[minute]) * time.Minute
	if table[minute+1] > table[minute] {
		open += at.Sub(epoch.Add(time.Duration(minute) * time.Minute))
	}
	return open
}

func (o *calendarOracle) table(counts policy.CountingMode) []int32 {
	if table := o.open[counts]; table != nil {
		return table
	}
	table := make([]int32, calendarMinutes+1)
	for i := range calendarMinutes {
		table[i+1] = table[i]
		if o.isOpen(counts, epoch.Add(time.Duration(i)*time.Minute).In(o.policy.Zone)) {
			table[i+1]++
		}
	}
	o.open[counts] = table
	return table
}

// isOpen reports whether a local time is open, by weekday and holidays.
func (o *calendarOracle) isOpen(counts policy.CountingMode, local time.Time) bool {
	spans := o.spans[local.Weekday()]
	if len(o.holidays) > 0 && o.holidays[local.Format(time.DateOnly)] {
		return false
	}
	if counts == policy.CountBusinessDays {
		return len(spans) > 0
	}
	minute := local.Hour()*60 + local.Minute()
	for _, span := range spans {
		if span[0] <= minute && minute < span[1] {
			return true
		}
	}
	return false
}
