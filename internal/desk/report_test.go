package desk_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// promise is one, as a report counts it.
type promise struct {
	clock    policy.ClockName
	at       time.Time
	verdict  ticket.Verdict
	priority policy.Priority
	category string
	agent    desk.Ref
	taken    int32 // -1: not delivered
}

// ledger counts promises one by one, as the store does with a statement.
type ledger struct {
	promises []promise
}

func (l *ledger) Promises(_ context.Context, f desk.PromiseFilter, weeks []time.Time) ([]desk.PromiseCell, error) {
	var cells []desk.PromiseCell
	for _, p := range l.promises {
		if p.at.Before(f.From) || !p.at.Before(f.To) {
			continue
		}
		week := 0
		for i, start := range weeks {
			if !p.at.Before(start) {
				week = i
			}
		}
		cell := desk.PromiseCell{
			Clock: p.clock, Week: week, Verdict: p.verdict, Priority: p.priority, Category: p.category, Agent: p.agent, Count: 1,
		}
		if p.taken >= 0 {
			cell.Taken = []int32{p.taken}
		}
		cells = append(cells, cell)
	}
	return cells, nil
}

func (l *ledger) OpenTickets(context.Context, []time.Time, time.Time) ([]desk.OpenCell, error) {
	return nil, nil
}
func (l *ledger) Escalated(context.Context, int) (desk.Escalations, error) {
	return desk.Escalations{}, nil
}
func (l *ledger) Staff(context.Context) ([]desk.Colleague, error) { return nil, nil }
func (l *ledger) Ratings(context.Context, time.Time, time.Time, []time.Time) ([]desk.RatingCell, error) {
	return nil, nil
}
func (l *ledger) Comments(context.Context, time.Time, time.Time, int) ([]desk.Opinion, error) {
	return nil, nil
}
func (l *ledger) Parcels(context.Context, desk.DeliveryStatus, time.Time, int) ([]desk.Parcel, error) {
	return nil, nil
}

// office is the policies' side: a policy in a zone.
type office struct{ policy *policy.Policy }

func (o office) Policy(context.Context, int64) (*policy.Policy, error) { return o.policy, nil }
func (o office) PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error) {
	return 1, o.policy, nil, nil
}

func berlin(t testing.TB) *policy.Policy {
	t.Helper()
	p := *policy.Default()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	p.Zone = zone
	return &p
}

var agents = []desk.Ref{{}, {ID: "P-1", Name: "Zoe Agent"}, {ID: "P-2", Name: "adam Agent"}}

// reported is when the periods begin.
var reported = time.Date(2026, time.March, 5, 13, 0, 0, 0, time.UTC)

func drawPromise(t *rapid.T) promise {
	p := promise{
		clock: rapid.SampledFrom(policy.ClockNames()).Draw(t, "clock"),
		// Rapid prefers small numbers: so most lie near the period's start, on either side.
		at: reported.Add(time.Duration(rapid.IntRange(-2, 7*6).Draw(t, "day"))*24*time.Hour +
			time.Duration(rapid.IntRange(-1, 86400).Draw(t, "second"))*time.Second),
		verdict:  rapid.SampledFrom(ticket.Verdicts()).Draw(t, "verdict"),
		priority: rapid.SampledFrom(policy.Priorities()).Draw(t, "priority"),
		category: rapid.SampledFrom([]string{"order", "delivery"}).Draw(t, "category"),
		agent:    rapid.SampledFrom(agents).Draw(t, "agent"),
		taken:    -1,
	}
	if p.verdict == ticket.VerdictKept || p.verdict == ticket.VerdictBroken && rapid.Bool().Draw(t, "late") {
		p.taken = rapid.Int32Range(0, 50).Draw(t, "taken") << rapid.SampledFrom([]int{0, 9, 25}).Draw(t, "magnitude")
	}
	return p
}

// slowly tallies by looking at every promise, and finds a percentile by asking of each time how many are no longer.
func slowly(promises []promise, in func(promise) bool) desk.Tally {
	var t desk.Tally
	var times []int32
	for _, p := range promises {
		if !in(p) {
			continue
		}
		switch p.verdict {
		case ticket.VerdictKept:
			t.Kept++
		case ticket.VerdictBroken:
			t.Broken++
		case ticket.VerdictOwed:
			t.Owed++
		case ticket.VerdictDropped:
			t.Dropped++
		}
		if p.taken >= 0 {
			times = append(times, p.taken)
		}
	}
	t.Delivered = len(times)
	t.Median, t.P90 = within(times, 50), within(times, 90)
	return t
}

// within is the shortest of the times that at least a percentage of them don't exceed.
func within(times []int32, percent int) time.Duration {
	best := int32(-1)
	for _, candidate := range times {
		no := 0
		for _, other := range times {
			if other <= candidate {
				no++
			}
		}
		if no*100 >= percent*len(times) && (best < 0 || candidate < best) {
			best = candidate
		}
	}
	return time.Duration(max(best, 0)) * time.Second
}

func TestPromises_agreeWithASlowCount(t *testing.T) {
	p := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(drawPromise), 0, 60).Draw(t, "promises")
		from := reported
		to := from.Add(time.Duration(rapid.SampledFrom([]int{1, 24, 7 * 24, 20 * 24, 40 * 24}).Draw(t, "hours")) * time.Hour)
		got, err := desk.NewReports(&ledger{promises: all}, office{p}).Promises(t.Context(), desk.PromiseFilter{From: from, To: to})
		if err != nil {
			t.Fatal(err)
		}
		for _, clock := range got.Clocks {
			want := oracle(all, clock.Clock, from, to, p.Zone)
			if diff := cmp.Diff(want, clock); diff != "" {
				t.Fatalf("%s from %s to %s (-want +got):\n%s", clock.Clock, from, to, diff)
			}
		}
	})
}

// oracle makes a clock's report from the definitions.
func oracle(all []promise, clock policy.ClockName, from, to time.Time, zone *time.Location) desk.ClockReport {
	all = slices.DeleteFunc(slices.Clone(all), func(p promise) bool {
		return p.clock != clock || p.at.Before(from) || !p.at.Before(to)
	})
	r := desk.ClockReport{Clock: clock, Total: slowly(all, func(promise) bool { return true })}
	monday := func(at time.Time) string {
		for at = at.In(zone); at.Weekday() != time.Monday; {
			at = at.AddDate(0, 0, -1)
		}
		return at.Format(time.DateOnly)
	}
	seen := ""
	for at := from; at.Before(to); at = at.Add(time.Minute) {
		if m := monday(at); m != seen {
			seen = m
			start, _ := time.ParseInLocation(time.DateOnly, m, zone)
			r.Weeks = append(r.Weeks, desk.Line{Week: start.UTC(), Tally: slowly(all, func(p promise) bool { return monday(p.at) == m })})
		}
	}
	for _, priority := range policy.Priorities() {
		if t := slowly(all, func(p promise) bool { return p.priority == priority }); t.All() > 0 {
			r.Priorities = append(r.Priorities, desk.Line{Priority: priority, Tally: t})
		}
	}
	for _, category := range []string{"delivery", "order"} {
		if t := slowly(all, func(p promise) bool { return p.category == category }); t.All() > 0 {
			r.Categories = append(r.Categories, desk.Line{Category: category, Tally: t})
		}
	}
	for _, agent := range []desk.Ref{agents[2], agents[1], agents[0]} { // by name, nobody last
		if t := slowly(all, func(p promise) bool { return p.agent == agent }); t.All() > 0 {
			r.Agents = append(r.Agents, desk.Line{Agent: agent, Tally: t})
		}
	}
	return r
}

func TestTally_shareIsOfTheJudgedAlone(t *testing.T) {
	if share, ok := (desk.Tally{Kept: 3, Broken: 1, Owed: 5, Dropped: 9}).Share(); !ok || share != 0.75 {
		t.Errorf("got %v, %v", share, ok)
	}
	if _, ok := (desk.Tally{Owed: 5, Dropped: 9}).Share(); ok {
		t.Error("where nothing was judged there is a share")
	}
}

func TestWeeks_beginOnMondaysOfTheZone(t *testing.T) {
	zone := berlin(t).Zone
	at := func(text string) time.Time {
		t, _ := time.ParseInLocation("2006-01-02 15:04", text, zone)
		return t.UTC()
	}
	for name, c := range map[string]struct{ from, to, first, last string }{
		"across the change of clocks": {"2026-03-25 12:00", "2026-04-02 12:00", "2026-03-23 00:00", "2026-03-30 00:00"},
		"a Sunday's last minute":      {"2026-03-29 23:59", "2026-03-30 00:01", "2026-03-23 00:00", "2026-03-30 00:00"},
		"to a Monday's midnight":      {"2026-03-23 00:00", "2026-03-30 00:00", "2026-03-23 00:00", "2026-03-23 00:00"},
		"nothing":                     {"2026-03-25 00:00", "2026-03-25 00:00", "2026-03-23 00:00", "2026-03-23 00:00"},
		"across a year":               {"2026-12-31 00:00", "2027-01-05 00:00", "2026-12-28 00:00", "2027-01-04 00:00"},
	} {
		weeks := desk.Weeks(at(c.from), at(c.to), zone)
		if first, last := weeks[0], weeks[len(weeks)-1]; !first.Equal(at(c.first)) || !last.Equal(at(c.last)) {
			t.Errorf("%s: %s to %s", name, first.In(zone), last.In(zone))
		}
	}
}

func TestScores_average(t *testing.T) {
	s := desk.Scores{1, 0, 0, 0, 3}
	if average, ok := s.Average(); !ok || average != 4 || s.Count() != 4 {
		t.Errorf("got %v of %d", average, s.Count())
	}
	if _, ok := (desk.Scores{}).Average(); ok {
		t.Error("no ratings have an average")
	}
}

func (l *ledger) Reconciliation(context.Context) (desk.Reconciliation, error) {
	return desk.Reconciliation{}, nil
}

func (l *ledger) MailState(context.Context, time.Time) (desk.MailState, error) {
	return desk.MailState{}, nil
}
