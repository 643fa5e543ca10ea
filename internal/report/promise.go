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

// Measure says how the time to a delivery is taken.
type Measure string

// The measures.
const (
	MeasureElapsed Measure = "elapsed" // every second from submission to delivery
	MeasureCounted Measure = "counted" // those that the promise's clock counted: pauses and, as the policy says, closed hours left out
)

// Measures lists the measures.
func Measures() []Measure { return []Measure{MeasureElapsed, MeasureCounted} }

// PromiseFilter says which promises a report counts; an empty field leaves nothing out.
type PromiseFilter struct {
	From, To time.Time // submission: from From on, before To
	Priority policy.Priority
	Category string
	Agent    string  // handle or ID
	Measure  Measure // empty: elapsed
}

// PromiseCount is how many promises of one kind share everything that a report tells apart.
type PromiseCount struct {
	Clock     policy.ClockName
	Week      int // index into the weeks asked for
	SLAStatus ticket.SLAStatus
	Priority  policy.Priority
	Category  string
	Agent     desk.Ref // zero: nobody
	Count     int
	Taken     []int32 // seconds to delivery of those delivered, in no order
}

// Promises is a period's promises, kept and broken.
type Promises struct {
	Filter PromiseFilter
	Zone   *time.Location // the policy's
	Weeks  []time.Time    // their first instants, Mondays in the policy's zone; the first may lie before Filter.From
	Clocks []ClockSummary
}

// ClockSummary is the report on one promise. A line's tally counts every promise of the filter once in each grouping.
type ClockSummary struct {
	Clock      policy.ClockName
	Total      Tally
	Weeks      []Line // one for each of the report's weeks
	Priorities []Line // the lowest first; without those that nobody asked for
	Categories []Line // by name
	Agents     []Line // by name, nobody last
}

// Line is one row of a report.
type Line struct {
	Week     time.Time // zero but in Weeks
	Priority policy.Priority
	Category string
	Agent    desk.Ref
	Tally
}

// Tally counts promises. Median and P90 are over the delivered ones, kept or late: the shortest time within which at
// least half, or nine in ten, were delivered. They are zero without any.
type Tally struct {
	Kept, Breached, Owed, Dropped int
	Delivered                     int
	Median, P90                   time.Duration
}

// Judged is how many were kept or broken: the promises that a share is taken of.
func (t Tally) Judged() int { return t.Kept + t.Breached }

// All is how many promises were made.
func (t Tally) All() int { return t.Kept + t.Breached + t.Owed + t.Dropped }

// Share is the part of the judged that was kept, 0 to 1; false if none was judged.
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

// NewPromises returns the report of a filter's period, whose weeks in a zone are those of the counts.
func NewPromises(f PromiseFilter, zone *time.Location, counts []PromiseCount) Promises {
	names := policy.ClockNames()
	made := Promises{Filter: f, Zone: zone, Weeks: Weeks(f.From, f.To, zone), Clocks: make([]ClockSummary, len(names))}
	var tallying sync.WaitGroup
	for i, name := range names {
		tallying.Go(func() {
			own := slices.DeleteFunc(slices.Clone(counts), func(c PromiseCount) bool { return c.Clock != name })
			made.Clocks[i] = newClock(name, made.Weeks, own)
		})
	}
	tallying.Wait()
	return made
}

// newClock tallies the counts of one clock.
func newClock(clock policy.ClockName, weeks []time.Time, counts []PromiseCount) ClockSummary {
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

// byName orders people by name, with nobody last.
func byName(a, b desk.Ref) int {
	if (a.ID == "") != (b.ID == "") {
		return cmp.Compare(b.ID, a.ID)
	}
	return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
}
