package desk

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// MostShifts is how many promises a dry run lists.
const MostShifts = 50

// DryRun says what an emergency, or a change of one, would do, if nobody did anything else.
type DryRun struct {
	At     time.Time  // as of when
	Before *Emergency // nil: it would be a new one
	After  Emergency
	Census

	Looked  int // tickets whose promises were computed: Owed of them, or a fair sample
	Clocks  []ClockShift
	Soonest []Shift // those that would be due the soonest as things stand, of the tickets looked at

	Tells    Telling // what requesters would be told by mail soon; empty: nothing
	Upcoming []Occasion

	Rate     float64       // tickets told a second
	Measured time.Time     // when that was measured; zero: it is an assumption
	Fanout   time.Duration // until every open ticket has been told
}

// Sampled reports whether only some of the tickets were looked at.
func (d DryRun) Sampled() bool { return d.Looked < d.Owed }

// Estimate projects a number among the tickets looked at onto all of them.
func (d DryRun) Estimate(n int) int {
	if d.Looked == 0 {
		return 0
	}
	return (n*d.Owed + d.Looked/2) / d.Looked
}

// Occasion is a mail to every requester later on.
type Occasion struct {
	Tells Telling
	At    time.Time
}

// ClockShift counts what would become of one of the two promises.
type ClockShift struct {
	Clock   policy.ClockName
	Later   int // due later than as things stand
	Sooner  int // due sooner
	Stopped int // without a date, until it is lifted
	Dated   int // has no date as things stand, and would have one
	Same    int // neither
	Waiting int // stands still for its requester, whatever happens
	Broken  int // broken already, and owed still

	Least, Most      time.Duration // of the shifts by which they'd be later or sooner: both from the sooner to the later
	Earliest, Latest time.Time     // deadlines of those that would be due later or sooner, afterwards
}

// Moved is how many would have another deadline, or none.
func (c ClockShift) Moved() int { return c.Later + c.Sooner + c.Stopped + c.Dated }

// Shift is one promise that would move.
type Shift struct {
	Number ticket.Number
	Clock  policy.ClockName
	Before time.Time // zero: it stands still as things stand
	After  time.Time // zero: it would stand still until the emergency is lifted
}

// By is how much later it would be; 0 when one of both has no date.
func (s Shift) By() time.Duration {
	if s.Before.IsZero() || s.After.IsZero() {
		return 0
	}
	return s.After.Sub(s.Before)
}

// first is what shifts are listed by: what is due first, as things stand or else afterwards.
func (s Shift) first() time.Time {
	if s.Before.IsZero() {
		return s.After
	}
	return s.Before
}

// headcount counts tickets one by one, in memory that doesn't grow with them.
type headcount struct {
	looked  int
	clocks  map[policy.ClockName]*ClockShift
	soonest []Shift
}

func newHeadcount() *headcount {
	t := &headcount{clocks: map[policy.ClockName]*ClockShift{}}
	for _, name := range policy.ClockNames() {
		t.clocks[name] = &ClockShift{Clock: name}
	}
	return t
}

// add counts a ticket with its deadlines under the gate as it is and as it would be.
func (c *headcount) add(t ticket.Ticket, before, after policy.Promises) {
	c.looked++
	c.count(t.Number, policy.FirstResponse, t.FirstResponse, before.FirstResponse, after.FirstResponse)
	c.count(t.Number, policy.Resolution, t.Resolution, before.Resolution, after.Resolution)
}

func (c *headcount) count(n ticket.Number, name policy.ClockName, p ticket.Promise, before, after time.Time) {
	sum := c.clocks[name]
	switch {
	case !p.MetAt.IsZero() || p.Clock.Settled():
		return // owed no longer
	case !p.BreachedAt.IsZero():
		sum.Broken++
		return
	case before.IsZero() && after.IsZero():
		if slices.Contains(p.Clock.Reasons(), policy.ReasonWaiting) {
			sum.Waiting++
		} else {
			sum.Same++
		}
		return
	case before.Equal(after):
		sum.Same++
		return
	case after.IsZero():
		sum.Stopped++
	case before.IsZero():
		sum.Dated++
		sum.span(after)
	default:
		sum.shift(after.Sub(before))
		sum.span(after)
	}
	c.list(Shift{Number: n, Clock: name, Before: before, After: after})
}

func (s *ClockShift) shift(by time.Duration) {
	if s.Later+s.Sooner == 0 {
		s.Least, s.Most = by, by
	}
	s.Least, s.Most = min(s.Least, by), max(s.Most, by)
	if by > 0 {
		s.Later++
	} else {
		s.Sooner++
	}
}

func (s *ClockShift) span(due time.Time) {
	if s.Earliest.IsZero() || due.Before(s.Earliest) {
		s.Earliest = due
	}
	if due.After(s.Latest) {
		s.Latest = due
	}
}

// list keeps the soonest: it sorts only when twice as many have gathered.
func (c *headcount) list(s Shift) {
	c.soonest = append(c.soonest, s)
	if len(c.soonest) >= 2*MostShifts {
		c.cut()
	}
}

func (c *headcount) cut() {
	slices.SortFunc(c.soonest, func(a, b Shift) int {
		return cmp.Or(a.first().Compare(b.first()), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Clock, b.Clock))
	})
	c.soonest = slices.Clip(c.soonest[:min(len(c.soonest), MostShifts)])
}

func (c *headcount) into(d *DryRun) {
	c.cut()
	d.Looked, d.Soonest = c.looked, c.soonest
	for _, name := range policy.ClockNames() {
		d.Clocks = append(d.Clocks, *c.clocks[name])
	}
}

// tell foretells the mails: what soon, and what later. It gives what would be said.
func (d *DryRun) tell() Substance {
	var told *Substance
	if b := d.Before; b != nil {
		s := b.Substance(d.At)
		if s.Stage == StageInForce || s.Stage == StagePlanned && b.From.Sub(b.Declared) > Ahead {
			told = &s
		}
	}
	telling, said, tells := d.After.Tell(told, d.At, d.At, d.After.Revision)
	if tells {
		d.Tells = telling
	}
	switch stage := d.After.Stage(d.At); stage {
	case StagePlanned:
		d.Upcoming = append(d.Upcoming, Occasion{TellsStarted, d.After.From})
	case StageInForce:
	default:
		return said
	}
	if !d.After.Until.IsZero() {
		d.Upcoming = append(d.Upcoming, Occasion{TellsEnded, d.After.Until})
	}
	return said
}

// with is the gate with an emergency as it would be, in place of how it is.
func with(g ticket.Gate, e Emergency) ticket.Gate {
	g.Emergencies = slices.DeleteFunc(slices.Clone(g.Emergencies), func(o ticket.Emergency) bool { return o.ID == e.ID })
	if e.Cancelled.IsZero() {
		g.Emergencies = append(g.Emergencies, e.Emergency)
	}
	slices.SortFunc(g.Emergencies, func(a, b ticket.Emergency) int {
		return cmp.Or(a.From.Compare(b.From), cmp.Compare(a.ID, b.ID))
	})
	g.Revision++
	return g
}
