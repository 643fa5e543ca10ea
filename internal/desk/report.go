package desk

import (
	"cmp"
	"slices"
	"strings"
	"time"

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

// PromiseCell is what the store counts: the promises of one kind that share everything a report tells apart.
type PromiseCell struct {
	Clock    policy.ClockName
	Week     int // index into the weeks asked for
	Verdict  ticket.Verdict
	Priority policy.Priority
	Category string
	Agent    Ref // zero: nobody
	Count    int
	Taken    []int32 // seconds to delivery of those delivered, in no order
}

// PromiseReport is a period's promises, kept and broken.
type PromiseReport struct {
	Filter PromiseFilter
	Zone   *time.Location // the policy's
	Weeks  []time.Time    // their first instants, Mondays in the policy's zone; the first may lie before Filter.From
	Clocks []ClockReport
}

// ClockReport is the report on one promise. A line's tally counts every promise of the filter once in each grouping.
type ClockReport struct {
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
	Agent    Ref
	Tally
}

// Tally counts promises. Median and P90 are over the delivered ones, kept or late: the shortest time within which at
// least half, or nine in ten, were delivered. They are zero without any.
type Tally struct {
	Kept, Broken, Owed, Dropped int
	Delivered                   int
	Median, P90                 time.Duration
}

// Judged is how many were kept or broken: the promises that a share is taken of.
func (t Tally) Judged() int { return t.Kept + t.Broken }

// All is how many promises were made.
func (t Tally) All() int { return t.Kept + t.Broken + t.Owed + t.Dropped }

// Share is the part of the judged that was kept, 0 to 1; false if none was judged.
func (t Tally) Share() (float64, bool) {
	if t.Judged() == 0 {
		return 0, false
	}
	return float64(t.Kept) / float64(t.Judged()), true
}

func (t *Tally) add(v ticket.Verdict, n int) {
	switch v {
	case ticket.VerdictKept:
		t.Kept += n
	case ticket.VerdictBroken:
		t.Broken += n
	case ticket.VerdictDropped:
		t.Dropped += n
	default:
		t.Owed += n
	}
}

// Weeks gives the first instants of the weeks that a period touches, in a zone: midnights of Mondays.
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

// report tallies the cells of one clock.
func report(clock policy.ClockName, weeks []time.Time, cells []PromiseCell) ClockReport {
	r := ClockReport{Clock: clock}
	total := newGrouping(func(PromiseCell) int { return 0 })
	byWeek := newGrouping(func(c PromiseCell) int { return c.Week })
	byPriority := newGrouping(func(c PromiseCell) policy.Priority { return c.Priority })
	byCategory := newGrouping(func(c PromiseCell) string { return c.Category })
	byAgent := newGrouping(func(c PromiseCell) Ref { return c.Agent })
	tally(cells, total, byWeek, byPriority, byCategory, byAgent)
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
func byName(a, b Ref) int {
	if (a.ID == "") != (b.ID == "") {
		return cmp.Compare(b.ID, a.ID)
	}
	return cmp.Or(strings.Compare(strings.ToLower(a.Name), strings.ToLower(b.Name)), cmp.Compare(a.ID, b.ID))
}
