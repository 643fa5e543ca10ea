package app

import (
	"cmp"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// firstDue returns the sort key of a shift: the current deadline or, without one, the new deadline.
func firstDue(s desk.Shift) time.Time {
	if s.Before.IsZero() {
		return s.After
	}
	return s.Before
}

// comparison counts how the deadlines of tickets would move. It needs constant memory.
type comparison struct {
	compared int
	clocks   map[policy.ClockName]*desk.ClockShift
	soonest  []desk.Shift
}

func newComparison() *comparison {
	t := &comparison{clocks: map[policy.ClockName]*desk.ClockShift{}}
	for _, name := range policy.ClockNames() {
		t.clocks[name] = &desk.ClockShift{Clock: name}
	}
	return t
}

// add counts a ticket with its deadlines before and after the change.
func (c *comparison) add(t ticket.Ticket, before, after policy.Deadlines) {
	c.compared++
	c.count(t.Number, policy.FirstResponse, t.FirstResponse, before.FirstResponse, after.FirstResponse)
	c.count(t.Number, policy.Resolution, t.Resolution, before.Resolution, after.Resolution)
}

func (c *comparison) count(n ticket.Number, name policy.ClockName, p ticket.Promise, before, after time.Time) {
	sum := c.clocks[name]
	switch {
	case !p.MetAt.IsZero() || p.Clock.Met():
		return
	case !p.BreachedAt.IsZero():
		sum.Breached++
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
		addDeadline(sum, after)
	default:
		addShift(sum, after.Sub(before))
		addDeadline(sum, after)
	}
	c.list(desk.Shift{Number: n, Clock: name, Before: before, After: after})
}

func addShift(s *desk.ClockShift, by time.Duration) {
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

func addDeadline(s *desk.ClockShift, due time.Time) {
	if s.Earliest.IsZero() || due.Before(s.Earliest) {
		s.Earliest = due
	}
	if due.After(s.Latest) {
		s.Latest = due
	}
}

// list adds a shift to the soonest, and sorts them only once there are twice as many as needed.
func (c *comparison) list(s desk.Shift) {
	c.soonest = append(c.soonest, s)
	if len(c.soonest) >= 2*desk.MostShifts {
		c.cut()
	}
}

func (c *comparison) cut() {
	slices.SortFunc(c.soonest, func(a, b desk.Shift) int {
		return cmp.Or(firstDue(a).Compare(firstDue(b)), cmp.Compare(a.Number, b.Number), cmp.Compare(a.Clock, b.Clock))
	})
	c.soonest = slices.Clip(c.soonest[:min(len(c.soonest), desk.MostShifts)])
}

func (c *comparison) into(d *desk.DryRun) {
	c.cut()
	d.Looked, d.Soonest = c.compared, c.soonest
	for _, name := range policy.ClockNames() {
		d.Clocks = append(d.Clocks, *c.clocks[name])
	}
}

// expectMails sets the announcements that would follow, at once and later, and returns the terms of the first.
func expectMails(d *desk.DryRun) desk.EmergencyTerms {
	var announced *desk.EmergencyTerms
	if b := d.Before; b != nil {
		s := b.Terms(d.At)
		if s.Stage == desk.StageInForce || s.Stage == desk.StagePlanned && b.From.Sub(b.Declared) > desk.AnnounceAhead {
			announced = &s
		}
	}
	kind, terms, due := d.After.Tell(announced, d.At, d.At, d.After.Revision)
	if due {
		d.Announces = kind
	}
	switch stage := d.After.Stage(d.At); stage {
	case desk.StagePlanned:
		d.Upcoming = append(d.Upcoming, desk.Occasion{Announces: desk.AnnounceStarted, At: d.After.From})
	case desk.StageInForce:
	default:
		return terms
	}
	if !d.After.Until.IsZero() {
		d.Upcoming = append(d.Upcoming, desk.Occasion{Announces: desk.AnnounceEnded, At: d.After.Until})
	}
	return terms
}

// withEmergency returns the schedule with an emergency added or replaced, or removed if it is cancelled.
func withEmergency(g ticket.EmergencySchedule, e desk.Emergency) ticket.EmergencySchedule {
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
