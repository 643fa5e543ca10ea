package report

import (
	"cmp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Measure is how the time until a promise is met is measured.
type Measure string

// The measures.
const (
	MeasureElapsed Measure = "elapsed" // all time since submission
	MeasureCounted Measure = "counted" // time that the promise's clock counts: without pauses and, depending on the policy, closed hours
)

// PromiseFilter selects the promises of a report. An empty field selects all.
type PromiseFilter struct {
	From, To time.Time // of submission: [From, To)
	Priority policy.Priority
	Category string
	Agent    string  // handle or ID
	Measure  Measure // empty: MeasureElapsed
}

// PromiseCount is the number of promises that share the other fields.
type PromiseCount struct {
	Clock     policy.ClockName
	Week      int // index into the weeks of the request
	SLAStatus ticket.SLAStatus
	Priority  policy.Priority
	Category  string
	Agent     desk.Ref // zero: unassigned
	Count     int
	Taken     []int32 // seconds until each one that was met, in time or late, was met; unordered
}

// Promises is the report on the promises of a period.
type Promises struct {
	Filter PromiseFilter
	Zone   *time.Location // the policy's
	Weeks  []time.Time    // see Weeks; the first may be before Filter.From
	Clocks []ClockSummary
}

// ClockSummary is the report on one clock. Each grouping counts every promise once.
type ClockSummary struct {
	Clock      policy.ClockName
	Total      Tally
	Weeks      []Line // one for each of the report's weeks
	Priorities []Line // those with promises, lowest first
	Categories []Line // by name
	Agents     []Line // by name, unassigned last
}

// Line is a line of a report. Only the field that it is grouped by is set.
type Line struct {
	Week     time.Time
	Priority policy.Priority
	Category string
	Agent    desk.Ref
	Tally
}

// Tally counts promises by SLA status. Median and P90 are percentiles of the times until promises were met, in time or
// late: the shortest time within which at least 50% or 90% of them were. They are zero if there are none.
type Tally struct {
	Kept, Breached, Owed, Dropped int // met in time, breached, pending, cancelled
	Delivered                     int // met, in time or late
	Median, P90                   time.Duration
}

// Judged returns the number of promises that were met in time or breached.
func (t Tally) Judged() int { return t.Kept + t.Breached }

// All returns the number of promises.
func (t Tally) All() int { return t.Kept + t.Breached + t.Owed + t.Dropped }

// Share returns the part of the judged promises that was met in time, 0 to 1, and false if none was judged.
func (t Tally) Share() (float64, bool) {
	if t.Judged() == 0 {
		return 0, false
	}
	return float64(t.Kept) / float64(t.Judged()), true
}

func (t *Tally) add(v ticket.SLAStatus, n int) {
	switch v {
	case ticket.SLAMet:
		t.Kept += n
	case ticket.SLABreached:
		t.Breached += n
	case ticket.SLACancelled:
		t.Dropped += n
	default:
		t.Owed += n
	}
}

// NewPromises returns the report on the period of a filter. The counts are by the weeks of the period in the zone.
func NewPromises(f PromiseFilter, zone *time.Location, counts []PromiseCount) Promises {
	names := policy.ClockNames()
	result := Promises{Filter: f, Zone: zone, Weeks: Weeks(f.From, f.To, zone), Clocks: make([]ClockSummary, len(names))}
	var wg sync.WaitGroup
	for i, name := range names {
		wg.Go(func() {
			own := slices.DeleteFunc(slices.Clone(counts), func(c PromiseCount) bool { return c.Clock != name })
			result.Clocks[i] = newClockSummary(name, result.Weeks, own)
		})
	}
	wg.Wait()
	return result
}

// newClockSummary returns the report on one clock from its counts.
func newClockSummary(clock policy.ClockName, weeks []time.Time, counts []PromiseCount) ClockSummary {
	r := ClockSummary{Clock: clock}
	total := newGrouping(func(PromiseCount) int { return 0 })
	byWeek := newGrouping(func(c PromiseCount) int { return c.Week })
	byPriority := newGrouping(func(c PromiseCount) policy.Priority { return c.Priority })
	byCategory := newGrouping(func(c PromiseCount) string { return c.Category })
	byAgent := newGrouping(func(c PromiseCount) desk.Ref { return c.Agent })
	tally(counts, total, byWeek, byPriority, byCategory, byAgent)
	r.Total = total.of(0)
	for i, week := range weeks {
		r.Weeks = append(r.Weeks, Line{Week: week, Tally: byWeek.of(i)})
	}
	for _, p := range policy.Priorities() {
		if t := byPriority.of(p); t.All() > 0 {
			r.Priorities = append(r.Priorities, Line{Priority: p, Tally: t})
		}
	}
	for _, c := range byCategory.keys() {
		r.Categories = append(r.Categories, Line{Category: c, Tally: byCategory.of(c)})
	}
	for _, a := range byAgent.keys() {
		r.Agents = append(r.Agents, Line{Agent: a, Tally: byAgent.of(a)})
	}
	slices.SortFunc(r.Categories, func(a, b Line) int { return cmp.Compare(a.Category, b.Category) })
	slices.SortFunc(r.Agents, func(a, b Line) int { return byName(a.Agent, b.Agent) })
	return r
}

// byName compares people by name. The zero Ref, for unassigned, is last.
func byName(a, b desk.Ref) int {
	if (a.ID == "") != (b.ID == "") {
		return cmp.Compare(b.ID, a.ID)
	}
	return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
}
