package report_test

import (
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/report"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// promise is a promise to be counted.
type promise struct {
	clock    policy.ClockName
	at       time.Time
	status   ticket.SLAStatus
	priority policy.Priority
	category string
	agent    desk.Ref
	taken    int32 // seconds until it was met; -1: not met
}

// counts returns a count for each promise, as the store does with an SQL query.
func counts(promises []promise, from, to time.Time, weeks []time.Time) (all []report.PromiseCount) {
	for _, p := range promises {
		if p.at.Before(from) || !p.at.Before(to) {
			continue
		}
		week := 0
		for i, start := range weeks {
			if !p.at.Before(start) {
				week = i
			}
		}
		one := report.PromiseCount{
			Clock: p.clock, Week: week, SLAStatus: p.status, Priority: p.priority, Category: p.category, Agent: p.agent, Count: 1,
		}
		if p.taken >= 0 {
			one.Taken = []int32{p.taken}
		}
		all = append(all, one)
	}
	return all
}

func berlin(t testing.TB) *time.Location {
	t.Helper()
	zone, err := time.LoadLocation("Europe/Berlin")
	if err != nil {
		t.Fatal(err)
	}
	return zone
}

var agents = []desk.Ref{{}, {ID: "P-1", Name: "Zoe Agent"}, {ID: "P-2", Name: "adam Agent"}}

// periodStart is the start of the report's period.
var periodStart = time.Date(2026, time.March, 5, 13, 0, 0, 0, time.UTC)

func drawPromise(t *rapid.T) promise {
	p := promise{
		clock: rapid.SampledFrom(policy.ClockNames()).Draw(t, "clock"),
		// Rapid prefers small numbers, so most promises are close to the start of the period.
		at: periodStart.Add(time.Duration(rapid.IntRange(-2, 7*6).Draw(t, "day"))*24*time.Hour +
			time.Duration(rapid.IntRange(-1, 86400).Draw(t, "second"))*time.Second),
		status:   rapid.SampledFrom(ticket.SLAStatuses()).Draw(t, "status"),
		priority: rapid.SampledFrom(policy.Priorities()).Draw(t, "priority"),
		category: rapid.SampledFrom([]string{"order", "delivery"}).Draw(t, "category"),
		agent:    rapid.SampledFrom(agents).Draw(t, "agent"),
		taken:    -1,
	}
	if p.status == ticket.SLAMet || p.status == ticket.SLABreached && rapid.Bool().Draw(t, "late") {
		p.taken = rapid.Int32Range(0, 50).Draw(t, "taken") << rapid.SampledFrom([]int{0, 9, 25}).Draw(t, "magnitude")
	}
	return p
}

// slowTally is a simple implementation of a Tally.
func slowTally(promises []promise, in func(promise) bool) report.Tally {
	var t report.Tally
	var times []int32
	for _, p := range promises {
		if !in(p) {
			continue
		}
		switch p.status {
		case ticket.SLAMet:
			t.Met++
		case ticket.SLABreached:
			t.Breached++
		case ticket.SLAPending:
			t.Pending++
		case ticket.SLACancelled:
			t.Cancelled++
		}
		if p.taken >= 0 {
			times = append(times, p.taken)
		}
	}
	t.Delivered = len(times)
	t.Median, t.P90 = percentile(times, 50), percentile(times, 90)
	return t
}

// percentile returns the shortest of times that at least percent of them do not exceed.
func percentile(times []int32, percent int) time.Duration {
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

func TestNewPromises_agreesWithSimpleImplementation(t *testing.T) {
	zone := berlin(t)
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(drawPromise), 0, 60).Draw(t, "promises")
		from := periodStart
		to := from.Add(time.Duration(rapid.SampledFrom([]int{1, 24, 7 * 24, 20 * 24, 40 * 24}).Draw(t, "hours")) * time.Hour)
		got := report.NewPromises(report.PromiseFilter{From: from, To: to}, zone, counts(all, from, to, report.Weeks(from, to, zone)))
		for _, clock := range got.Clocks {
			want := expectedSummary(all, clock.Clock, from, to, zone)
			if diff := cmp.Diff(want, clock); diff != "" {
				t.Fatalf("%s from %s to %s (-want +got):\n%s", clock.Clock, from, to, diff)
			}
		}
	})
}

// expectedSummary returns the report on a clock according to the definitions.
func expectedSummary(all []promise, clock policy.ClockName, from, to time.Time, zone *time.Location) report.ClockSummary {
	all = slices.DeleteFunc(slices.Clone(all), func(p promise) bool {
		return p.clock != clock || p.at.Before(from) || !p.at.Before(to)
	})
	r := report.ClockSummary{Clock: clock, Total: slowTally(all, func(promise) bool { return true })}
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
			r.Weeks = append(r.Weeks, report.Line{Week: start.UTC(), Tally: slowTally(all, func(p promise) bool { return monday(p.at) == m })})
		}
	}
	for _, priority := range policy.Priorities() {
		if t := slowTally(all, func(p promise) bool { return p.priority == priority }); t.All() > 0 {
			r.Priorities = append(r.Priorities, report.Line{Priority: priority, Tally: t})
		}
	}
	for _, category := range []string{"delivery", "order"} {
		if t := slowTally(all, func(p promise) bool { return p.category == category }); t.All() > 0 {
			r.Categories = append(r.Categories, report.Line{Category: category, Tally: t})
		}
	}
	for _, agent := range []desk.Ref{agents[2], agents[1], agents[0]} { // by name, unassigned last
		if t := slowTally(all, func(p promise) bool { return p.agent == agent }); t.All() > 0 {
			r.Agents = append(r.Agents, report.Line{Agent: agent, Tally: t})
		}
	}
	return r
}

func TestTally_shareExcludesPendingAndCancelled(t *testing.T) {
	if share, ok := (report.Tally{Met: 3, Breached: 1, Pending: 5, Cancelled: 9}).Share(); !ok || share != 0.75 {
		t.Errorf("got %v, %v", share, ok)
	}
	if _, ok := (report.Tally{Pending: 5, Cancelled: 9}).Share(); ok {
		t.Error("where nothing was judged there is a share")
	}
}
