package ticket_test

import (
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// almanac counts open time minute by minute: slow, and with no arithmetic of the code under test. It looks once at
// each minute of three years.
type almanac struct {
	policy   *policy.Policy
	spans    [7][][2]int // minutes of the day
	holidays map[string]bool
	open     map[policy.Counting][]int32 // open minutes from the epoch to each minute
}

var epoch = time.Date(2026, time.January, 1, 0, 0, 0, 0, time.UTC)

const almanacMinutes = 3 * 366 * 24 * 60

// almanacs keeps what has been counted.
var almanacs = map[*policy.Policy]*almanac{}

func almanacOf(p *policy.Policy) *almanac {
	if a := almanacs[p]; a != nil {
		return a
	}
	a := &almanac{policy: p, holidays: map[string]bool{}, open: map[policy.Counting][]int32{}}
	for _, h := range p.Calendar.Holidays() {
		a.holidays[h.Date.Format(time.DateOnly)] = true
	}
	for wd := range a.spans {
		for _, span := range p.Calendar.Hours(time.Weekday(wd)) {
			var h1, m1, h2, m2 int
			if _, err := fmt.Sscanf(span, "%d:%d-%d:%d", &h1, &m1, &h2, &m2); err != nil {
				panic(err)
			}
			a.spans[wd] = append(a.spans[wd], [2]int{h1*60 + m1, h2*60 + m2})
		}
	}
	almanacs[p] = a
	return a
}

func (a *almanac) elapsed(counts policy.Counting, from, to time.Time) time.Duration {
	if counts == policy.CountCalendar || !to.After(from) {
		return max(to.Sub(from), 0)
	}
	return a.until(counts, to) - a.until(counts, from)
}

// until is the open time from the epoch to an instant.
func (a *almanac) until(counts policy.Counting, at time.Time) time.Duration {
	table := a.table(counts)
	minute := int(at.Sub(epoch) / time.Minute)
	open := time.Duration(table[minute]) * time.Minute
	if table[minute+1] > table[minute] {
		open += at.Sub(epoch.Add(time.Duration(minute) * time.Minute))
	}
	return open
}

func (a *almanac) table(counts policy.Counting) []int32 {
	if table := a.open[counts]; table != nil {
		return table
	}
	table := make([]int32, almanacMinutes+1)
	for i := range almanacMinutes {
		table[i+1] = table[i]
		if a.isOpen(counts, epoch.Add(time.Duration(i)*time.Minute).In(a.policy.Zone)) {
			table[i+1]++
		}
	}
	a.open[counts] = table
	return table
}

// isOpen asks the policy's document: what is written for this weekday, and is it a holiday?
func (a *almanac) isOpen(counts policy.Counting, local time.Time) bool {
	spans := a.spans[local.Weekday()]
	if len(a.holidays) > 0 && a.holidays[local.Format(time.DateOnly)] {
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
