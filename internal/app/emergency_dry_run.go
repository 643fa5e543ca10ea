package app

import (
	"cmp"
	"context"
	"math"
	"slices"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// DryDeclare computes the effect of declaring an emergency. It returns the faults of Declare, and Limited if too many dry
// runs are in progress.
func (s *Emergencies) DryDeclare(ctx context.Context, by desk.Person, p desk.EmergencyPlan) (desk.DryRun, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return desk.DryRun{}, err
	}
	lasting, err := s.reader.Notices(ctx)
	if err == nil {
		err = desk.CheckAnother(len(lasting))
	}
	if err != nil {
		return desk.DryRun{}, err
	}
	at := nextSecond()
	after, err := p.Declared(undeclared, by.Ref(), at)
	if err != nil {
		return desk.DryRun{}, err
	}
	return s.forecast(ctx, desk.DryRun{At: at, After: after})
}

// DryChange computes the effect of changing an emergency. It returns the faults of Change and Limited.
func (s *Emergencies) DryChange(ctx context.Context, by desk.Person, id ticket.EmergencyID, c desk.EmergencyChange) (desk.DryRun, error) {
	return s.dry(ctx, by, id, func(e desk.Emergency, at time.Time) (desk.Emergency, error) { return e.Changed(c, at) })
}

// DryEnd computes the effect of lifting or cancelling an emergency. It returns the faults of End and Limited.
func (s *Emergencies) DryEnd(ctx context.Context, by desk.Person, id ticket.EmergencyID) (desk.DryRun, error) {
	return s.dry(ctx, by, id, desk.Emergency.Ended)
}

func (s *Emergencies) dry(ctx context.Context, by desk.Person, id ticket.EmergencyID, change func(desk.Emergency, time.Time) (desk.Emergency, error)) (desk.DryRun, error) {
	if err := authorise(by, supervisorsOnly); err != nil {
		return desk.DryRun{}, err
	}
	before, err := s.reader.Emergency(ctx, id)
	if err != nil {
		return desk.DryRun{}, err
	}
	d := desk.DryRun{At: nextSecond(), Before: &before}
	if d.After, err = change(before, d.At); err != nil {
		return desk.DryRun{}, err
	}
	return s.forecast(ctx, d)
}

// undeclared is the placeholder for the ID of an emergency that has not been declared.
const undeclared ticket.EmergencyID = "E-0000000000"

func nextSecond() time.Time { return time.Now().UTC().Truncate(time.Second).Add(time.Second) }

const (
	// The deadlines of at most maxCompared tickets are computed, for at most comparingTime, so that the request is answered
	// in time. Since ticket numbers are random, the first ones are a random sample.
	maxCompared    = 20_000
	comparingTime  = 2500 * time.Millisecond
	comparedAtOnce = 500
	maxDryRuns     = 2   // in progress at once; each keeps one CPU busy
	minMeasured    = 100 // tickets in a fan-out for its rate to be meaningful
	assumedRate    = 100 // signals per second, before any was measured
)

var errDryRuns = fault.New(fault.Limited, "too many previews are running: try again in a moment")

// forecast computes the deadlines of all tickets that are neither resolved nor closed, or of a sample, under the current and
// under the changed schedule. It returns a Limited fault if maxDryRuns are in progress.
func (s *Emergencies) forecast(ctx context.Context, d desk.DryRun) (desk.DryRun, error) {
	select {
	case s.dryRuns <- struct{}{}:
		defer func() { <-s.dryRuns }()
	default:
		return desk.DryRun{}, errDryRuns
	}
	var err error
	terms := expectMails(&d)
	if d.AffectedCount, err = s.affected.CountAffected(ctx, d.Announces.Before(terms)); err != nil {
		return desk.DryRun{}, err
	}
	schedule, err := s.affected.Schedule(ctx)
	if err != nil {
		return desk.DryRun{}, err
	}
	changed, result, last := withEmergency(schedule, d.After), newComparison(), ticket.Number("")
	for until := time.Now().Add(comparingTime); result.compared < maxCompared && time.Now().Before(until); {
		page, err := s.affected.TicketsWithTargets(ctx, last, comparedAtOnce)
		if err != nil {
			return desk.DryRun{}, err
		}
		for _, o := range page {
			if err := s.compare(ctx, result, o, schedule, changed); err != nil {
				return desk.DryRun{}, err
			}
			last = o.Number
		}
		if len(page) < comparedAtOnce {
			d.Owed = result.compared // may have changed since CountAffected
			break
		}
	}
	result.into(&d)
	return s.estimate(ctx, d)
}

// compare adds a ticket to result with its deadlines under both schedules.
func (s *Emergencies) compare(ctx context.Context, result *comparison, o desk.OpenTicket, current, changed ticket.EmergencySchedule) error {
	p, err := s.policies.Policy(ctx, o.Policy)
	if err != nil {
		return err
	}
	t, err := currentTicket(o, ticket.Environment{Policy: p, Schedule: current})
	if err != nil {
		return err
	}
	before, err := ticket.Expected(t, ticket.Environment{Policy: p, Schedule: current})
	if err != nil {
		return err
	}
	after, err := ticket.Expected(t, ticket.Environment{Policy: p, Schedule: changed})
	if err == nil {
		result.add(t, before, after)
	}
	return err
}

// currentTicket returns the state of a ticket or, if it has none yet, the state after its first step.
func currentTicket(o desk.OpenTicket, d ticket.Environment) (ticket.Ticket, error) {
	if o.State != nil {
		return *o.State, nil
	}
	first, err := ticket.Decide(ticket.Draft(o.Number, o.Requester, o.Policy, d.Policy), d, o.Submission)
	return first.Ticket, err
}

// estimate sets the expected duration of the fan-out, based on the rate of the last one.
func (s *Emergencies) estimate(ctx context.Context, d desk.DryRun) (desk.DryRun, error) {
	last, measured, err := s.affected.MeasuredFanout(ctx, minMeasured)
	if err != nil {
		return desk.DryRun{}, err
	}
	d.Rate = assumedRate
	if rate := last.Rate(); measured && rate > 0 {
		d.Rate, d.Measured = rate, last.VerifiedAt
	}
	d.Fanout = time.Duration(math.Ceil(float64(d.Open)/d.Rate)) * time.Second
	return d, nil
}

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
	d.Examined, d.Soonest = c.compared, c.soonest
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
	kind, terms, due := d.After.DueAnnouncement(announced, d.At, d.At, d.After.Revision)
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
