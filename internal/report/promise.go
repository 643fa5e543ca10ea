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
	Met, Breached, Pending, Cancelled int // met in time, breached, pending, cancelled
	Delivered                         int // met, in time or late
	Median, P90                       time.Duration
}

// Judged returns the number of promises that were met in time or breached.
func (t Tally) Judged() int { return t.Met + t.Breached }

// All returns the number of promises.
func (t Tally) All() int { return t.Met + t.Breached + t.Pending + t.Cancelled }

// Share returns the part of the judged promises that was met in time, 0 to 1, and false if none was judged.
func (t Tally) Share() (float64, bool) {
	if t.Judged() == 0 {
		return 0, false
	}
	return float64(t.Met) / float64(t.Judged()), true
}

func (t *Tally) add(v ticket.SLAStatus, n int) {
	switch v {
	case ticket.SLAMet:
		t.Met += n
	case ticket.SLABreached:
		t.Breached += n
	case ticket.SLACancelled:
		t.Cancelled += n
	default:
		t.Pending += n
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

// grouper is a grouping by a key of any type. After all calls of add, rank is called once, and then addTime with all times
// in ascending order.
type grouper interface {
	add(PromiseCount) int // returns the index of the count's group
	rank()
	addTime(group int, taken int32)
}

// tally fills groupings from counts. It sorts the times only once for all groupings, since a report on 100,000 tickets
// should take at most 50 ms.
func tally(counts []PromiseCount, groupings ...grouper) {
	n := 0
	for _, c := range counts {
		n += len(c.Taken)
	}
	times := make([]int64, 0, n) // time in the upper 32 bits, index of the count in the lower
	groups := make([][]int, len(groupings))
	for g, grouping := range groupings {
		groups[g] = make([]int, len(counts))
		for i, c := range counts {
			groups[g][i] = grouping.add(c)
		}
		grouping.rank()
	}
	for i, c := range counts {
		for _, taken := range c.Taken {
			times = append(times, int64(taken)<<32|int64(i))
		}
	}
	times = radixSort(times)
	for g, grouping := range groupings {
		of := groups[g]
		for _, t := range times {
			grouping.addTime(of[t&(1<<32-1)], int32(t>>32))
		}
	}
}

// radixSort returns numbers, which must not be negative, sorted by their upper 32 bits. For 100,000 numbers it takes a fifth
// of the time of a comparison sort.
func radixSort(numbers []int64) []int64 {
	const bits, mask = 11, 1<<11 - 1
	other := make([]int64, len(numbers))
	for shift := 32; shift < 63; shift += bits {
		var places [mask + 1]int
		for _, n := range numbers {
			places[n>>shift&mask]++
		}
		place := 0
		for i, n := range places {
			places[i] = place
			place += n
		}
		for _, n := range numbers {
			i := n >> shift & mask
			other[places[i]] = n
			places[i]++
		}
		numbers, other = other, numbers
	}
	return numbers
}

// grouping tallies counts by a key.
type grouping[K comparable] struct {
	key     func(PromiseCount) K
	index   map[K]int
	order   []K
	tallies []Tally
	median  []int // by group: rank of the median among its times, from 1
	p90     []int // likewise
	seen    []int // by group: number of times added
}

func newGrouping[K comparable](key func(PromiseCount) K) *grouping[K] {
	return &grouping[K]{key: key, index: map[K]int{}}
}

func (g *grouping[K]) keys() []K { return g.order }

func (g *grouping[K]) of(key K) Tally {
	i, known := g.index[key]
	if !known {
		return Tally{}
	}
	return g.tallies[i]
}

func (g *grouping[K]) add(c PromiseCount) int {
	key := g.key(c)
	i, known := g.index[key]
	if !known {
		i = len(g.order)
		g.index[key], g.order, g.tallies = i, append(g.order, key), append(g.tallies, Tally{})
	}
	g.tallies[i].add(c.SLAStatus, c.Count)
	g.tallies[i].Delivered += len(c.Taken)
	return i
}

// rank computes the ranks of the median and the P90 of each group.
func (g *grouping[K]) rank() {
	g.seen = make([]int, len(g.tallies))
	for _, t := range g.tallies {
		g.median = append(g.median, percentileRank(t.Delivered, 50))
		g.p90 = append(g.p90, percentileRank(t.Delivered, 90))
	}
}

func (g *grouping[K]) addTime(group int, taken int32) {
	g.seen[group]++
	if g.seen[group] == g.median[group] {
		g.tallies[group].Median = time.Duration(taken) * time.Second
	}
	if g.seen[group] == g.p90[group] {
		g.tallies[group].P90 = time.Duration(taken) * time.Second
	}
}

// percentileRank returns the smallest rank, from 1, such that at least percent of n values have this or a lower rank.
func percentileRank(n, percent int) int { return (n*percent + 99) / 100 }
