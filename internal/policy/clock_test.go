package policy_test

import (
	"encoding/json"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// testClock is a clock with its calendar. Its methods append the entries that they compute.
type testClock struct {
	t        fataler
	calendar *policy.Calendar
	policy.Clock
}

func start(t fataler, calendar *policy.Calendar, counts policy.CountingMode, at time.Time, target time.Duration) *testClock {
	t.Helper()
	entry, err := policy.Start(calendar, counts, at, target)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	return &testClock{t: t, calendar: calendar, Clock: policy.Clock{Counts: counts}.Append(entry)}
}

// do appends an entry and reports whether there was one.
func (p *testClock) do(entry policy.LedgerEntry, changed bool, err error) bool {
	p.t.Helper()
	if err != nil {
		p.t.Fatalf("unexpected error: %v", err)
	}
	if changed {
		p.Clock = p.Append(entry)
	}
	return changed
}

func (p *testClock) pause(at time.Time, r policy.Reason) bool {
	entry, changed := p.Pause(p.calendar, at, r)
	return p.do(entry, changed, nil)
}

func (p *testClock) resume(at time.Time, r policy.Reason) bool {
	return p.do(p.Resume(p.calendar, at, r))
}

func (p *testClock) settle(at time.Time) bool {
	entry, changed := p.Meet(p.calendar, at)
	return p.do(entry, changed, nil)
}

func (p *testClock) wantDue(want time.Time) {
	p.t.Helper()
	if got, ok := p.Due(); !ok || !got.Equal(want) {
		p.t.Fatalf("due %s (%t), want %s", got, ok, want)
	}
}

func (p *testClock) wantNoDue() {
	p.t.Helper()
	if got, ok := p.Due(); ok {
		p.t.Fatalf("due %s, want none", got)
	}
}

func TestResume_keepsRemainingBudget(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountBusinessHours, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	c.wantDue(utc(t, "2026-12-01 13:00"))
	c.pause(utc(t, "2026-11-30 12:00"), policy.ReasonWaiting)
	c.wantNoDue()
	if got := c.Remaining(c.calendar, utc(t, "2026-12-04 12:00")); got != 8*time.Hour {
		t.Errorf("remaining %s while paused, want 8h", got)
	}
	c.resume(utc(t, "2026-12-04 16:00"), policy.ReasonWaiting)
	c.wantDue(utc(t, "2026-12-07 17:00"))
}

func TestResume_waitsForTheLastOfOverlappingReasons(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), 24*time.Hour)
	c.pause(utc(t, "2026-11-30 11:00"), policy.ReasonWaiting)
	c.pause(utc(t, "2026-11-30 12:00"), policy.ReasonEmergency)
	if want := []policy.Reason{policy.ReasonEmergency, policy.ReasonWaiting}; !slices.Equal(c.Reasons(), want) {
		t.Errorf("reasons %v, want %v", c.Reasons(), want)
	}
	c.resume(utc(t, "2026-11-30 13:00"), policy.ReasonWaiting)
	c.wantNoDue()
	if c.Running() {
		t.Error("running in an emergency")
	}
	c.resume(utc(t, "2026-11-30 15:00"), policy.ReasonEmergency)
	c.wantDue(utc(t, "2026-12-01 14:00"))
	if !c.Running() {
		t.Error("not running with every reason gone")
	}
}

func TestChanges_reportNoChange(t *testing.T) {
	at := utc(t, "2026-11-30 10:00")
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, at, time.Hour)
	never := &testClock{t: t, calendar: c.calendar}
	for name, changed := range map[string]bool{
		"resume without a pause":     c.resume(at, policy.ReasonWaiting),
		"the same target":            c.do(c.Retarget(c.calendar, at, time.Hour)),
		"no target":                  c.do(c.Retarget(c.calendar, at, 0)),
		"no extension":               c.do(c.Extend(c.calendar, at, 0)),
		"reopen what is not settled": c.do(c.Reopen(c.calendar, at)),
		"pause before the start":     never.pause(at, policy.ReasonWaiting),
		"settle before the start":    never.settle(at),
		"extend before the start":    never.do(never.Extend(c.calendar, at, time.Hour)),
		"retarget before the start":  never.do(never.Retarget(c.calendar, at, time.Hour)),
	} {
		if changed {
			t.Errorf("%s: changed the clock", name)
		}
	}
	if !c.pause(at, policy.ReasonWaiting) || c.pause(at, policy.ReasonWaiting) {
		t.Error("a second pause for the same reason changed the clock")
	}
	if !c.settle(at) || c.settle(at) {
		t.Error("a second Settle changed the clock")
	}
}

func TestRetarget_isNeverDueInThePast(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), 24*time.Hour)
	c.do(c.Extend(c.calendar, utc(t, "2026-11-30 11:00"), 2*time.Hour))
	c.wantDue(utc(t, "2026-12-01 12:00"))
	c.do(c.Retarget(c.calendar, utc(t, "2026-11-30 12:00"), 8*time.Hour))
	c.wantDue(utc(t, "2026-11-30 20:00")) // the extension stays on top
	c.do(c.Retarget(c.calendar, utc(t, "2026-11-30 19:00"), time.Hour))
	c.wantDue(utc(t, "2026-11-30 19:00"))
	if got := c.Remaining(c.calendar, utc(t, "2026-11-30 19:00")); got != -6*time.Hour {
		t.Errorf("remaining %s, want -6h", got)
	}
	if c.Extension() != 2*time.Hour || c.Budget() != 3*time.Hour {
		t.Errorf("extension %s, budget %s", c.Extension(), c.Budget())
	}
}

func TestReopen_restoresNoBudget(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	c.settle(utc(t, "2026-11-30 12:00"))
	c.wantDue(utc(t, "2026-11-30 20:00"))
	if !c.Met() || !c.Running() {
		t.Error("a settled clock that is not paused must be running")
	}
	c.do(c.Reopen(c.calendar, utc(t, "2026-11-30 18:00")))
	c.wantDue(utc(t, "2026-11-30 20:00"))
	c.settle(utc(t, "2026-11-30 19:00"))
	c.do(c.Reopen(c.calendar, utc(t, "2026-12-01 18:00")))
	c.wantDue(utc(t, "2026-12-01 18:00"))
	if c.Met() {
		t.Error("settled after it was reopened")
	}
}

func TestReopen_keepsThePauseWhileResolved(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	c.settle(utc(t, "2026-11-30 12:00"))
	c.pause(utc(t, "2026-11-30 12:00"), policy.ReasonResolved)
	c.wantNoDue()
	c.do(c.Reopen(c.calendar, utc(t, "2026-12-02 12:00")))
	c.wantNoDue()
	c.resume(utc(t, "2026-12-02 12:00"), policy.ReasonResolved)
	c.wantDue(utc(t, "2026-12-02 20:00"))
}

func TestReaches_returnsTheInstantOfTheReminder(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountBusinessHours, utc(t, "2026-11-30 10:00"), 10*time.Hour)
	if got, ok := c.ReachesAt(c.calendar, 75); !ok || !got.Equal(utc(t, "2026-12-01 10:30")) {
		t.Errorf("75%% at %s (%t)", got, ok)
	}
	c.do(c.Retarget(c.calendar, utc(t, "2026-11-30 16:00"), time.Hour))
	if got, ok := c.ReachesAt(c.calendar, 75); !ok || !got.Equal(utc(t, "2026-11-30 16:00")) {
		t.Errorf("already used up: 75%% at %s (%t), want the last entry's instant", got, ok)
	}
	if _, ok := c.ReachesAt(c.calendar, 0); ok {
		t.Error("no percentage has an instant")
	}
	c.pause(utc(t, "2026-11-30 16:00"), policy.ReasonWaiting)
	if got, ok := c.ReachesAt(c.calendar, 75); ok {
		t.Errorf("paused: 75%% at %s", got)
	}
	if got, ok := (policy.Clock{}).ReachesAt(c.calendar, 75); ok {
		t.Errorf("not started: 75%% at %s", got)
	}
	odd := start(t, c.calendar, policy.CountCalendar, utc(t, "2026-11-30 10:00"), 3*time.Second)
	if got, _ := odd.ReachesAt(c.calendar, 50); !got.Equal(utc(t, "2026-11-30 10:00:02")) {
		t.Errorf("half of 3s at %s, want it rounded up", got)
	}
	long := start(t, c.calendar, policy.CountCalendar, utc(t, "2026-11-30 10:00"), 3660*24*time.Hour)
	if got, _ := long.ReachesAt(c.calendar, 99); got.Year() != 2036 {
		t.Errorf("99%% of ten years at %s", got)
	}
}

func TestWith_doesNotChangeTheReceiver(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), time.Hour)
	c.pause(utc(t, "2026-11-30 10:10"), policy.ReasonWaiting)
	c.resume(utc(t, "2026-11-30 10:20"), policy.ReasonWaiting)
	one := c.Append(policy.LedgerEntry{Kind: policy.EntryExtended, By: time.Hour})
	two := c.Append(policy.LedgerEntry{Kind: policy.EntryExtended, By: 5 * time.Hour})
	if one.Budget() != 2*time.Hour || two.Budget() != 6*time.Hour || c.Budget() != time.Hour {
		t.Errorf("budgets %s, %s and %s share a ledger", one.Budget(), two.Budget(), c.Budget())
	}
}

func TestEntry_jsonIsCompact(t *testing.T) {
	c := start(t, weekdays("UTC").calendar(t), policy.CountCalendar, utc(t, "2026-11-30 10:00"), time.Hour)
	c.pause(utc(t, "2026-11-30 10:10"), policy.ReasonWaiting)
	got, err := json.Marshal(c.Clock)
	want := `{"counts":"calendar","ledger":[{"at":1796032800,"act":"started","by":3600,"due":1796036400},` +
		`{"at":1796033400,"act":"paused","reason":"waiting","used":600}]}`
	if err != nil || string(got) != want {
		t.Errorf("got  %s (%v)\nwant %s", got, err, want)
	}
	var bad policy.Clock
	if err := json.Unmarshal([]byte(`{"ledger":[{"at":"now"}]}`), &bad); err == nil {
		t.Error("a string for an instant was accepted")
	}
	if got, _ := json.Marshal(policy.Clock{}); string(got) != "{}" {
		t.Errorf("a clock that has not started is %s", got)
	}
}

// Random changes, also late and early ones, agree with a model that keeps one number for usage and one set of reasons.
func TestClock_agreesWithAModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		odd := rapid.SampledFrom(oddities).Draw(t, "zone")
		around, err := time.Parse("2006-01-02 15:04", odd.around)
		if err != nil {
			t.Fatalf("%v", err)
		}
		s := drawSchedule(t, odd.zone, around)
		s.hours[time.Tuesday] = []string{"10:00-17:00"}
		m := newModel(t, s.calendar(t), around)
		for range rapid.IntRange(0, 12).Draw(t, "steps") {
			m.step(t)
			m.check(t)
		}
	})
}

// model is the expected state of a clock.
type model struct {
	*testClock
	at      time.Time
	target  time.Duration
	added   time.Duration
	used    time.Duration
	reasons map[policy.Reason]bool
	settled bool
}

func newModel(t *rapid.T, calendar *policy.Calendar, around time.Time) *model {
	counts := rapid.SampledFrom(policy.CountingModes()).Draw(t, "counts")
	m := &model{at: around.Add(-48 * time.Hour), target: drawTime(t, "target", 100*3600), reasons: map[policy.Reason]bool{}}
	m.testClock = start(t, calendar, counts, m.at, m.target)
	return m
}

func drawTime(t *rapid.T, label string, most int) time.Duration {
	return time.Duration(rapid.IntRange(1, most).Draw(t, label)) * time.Second
}

// step makes one change; a change earlier than the last entry must act as if made at its instant.
func (m *model) step(t *rapid.T) {
	given := m.at.Add(time.Duration(rapid.IntRange(-3600, 48*3600).Draw(t, "after")) * time.Second)
	at := given
	if at.Before(m.at) {
		at = m.at
	}
	used := m.used
	if len(m.reasons) == 0 {
		used += m.calendar.Elapsed(m.Counts, m.at, at)
	}
	reason := rapid.SampledFrom([]policy.Reason{policy.ReasonWaiting, policy.ReasonResolved, policy.ReasonEmergency}).Draw(t, "reason")
	by := drawTime(t, "by", 50*3600)
	var changed, want bool
	switch rapid.SampledFrom([]string{"pause", "resume", "pause", "resume", "extend", "retarget", "settle", "reopen"}).Draw(t, "verb") {
	case "pause":
		want, changed = !m.reasons[reason], m.pause(given, reason)
		m.reasons[reason] = true
	case "resume":
		want, changed = m.reasons[reason], m.resume(given, reason)
		delete(m.reasons, reason)
	case "extend":
		if m.added > 0 && rapid.Bool().Draw(t, "take back") {
			by = -m.added
		}
		want, changed = true, m.do(m.Extend(m.calendar, given, by))
		m.added += by
	case "retarget":
		want, changed = by != m.target, m.do(m.Retarget(m.calendar, given, by))
		m.target = by
	case "settle":
		want, changed = !m.settled, m.settle(given)
		m.settled = true
	case "reopen":
		want, changed = m.settled, m.do(m.Reopen(m.calendar, given))
		m.settled = false
	}
	if changed != want {
		t.Fatalf("changed %t, want %t", changed, want)
	}
	if changed {
		m.at, m.used = at, used
	}
}

func (m *model) check(t *rapid.T) {
	later := m.at.Add(drawTime(t, "later", 72*3600))
	used := m.used
	if len(m.reasons) == 0 {
		used += m.calendar.Elapsed(m.Counts, m.at, later)
	}
	switch got := m.Used(m.calendar, later); {
	case got != used:
		t.Fatalf("used %s at %s, want %s", got, later, used)
	case got+m.Remaining(m.calendar, later) != m.Budget():
		t.Fatalf("used and remaining are not the budget %s", m.Budget())
	case m.Budget() != m.target+m.added || m.Extension() != m.added:
		t.Fatalf("budget %s, want %s + %s", m.Budget(), m.target, m.added)
	case len(m.Reasons()) != len(m.reasons) || m.Running() != (len(m.reasons) == 0) || m.Met() != m.settled:
		t.Fatalf("reasons %v, running %t, settled %t; want %v, %t", m.Reasons(), m.Running(), m.Met(), m.reasons, m.settled)
	}
	m.checkDue(t)
	m.checkLedger(t)
	m.checkExplanation(t, later)
}

// checkDue checks that the deadline is the first instant at which the budget is used up, or the last change if it was
// used up before.
func (m *model) checkDue(t *rapid.T) {
	due, ok := m.Due()
	if ok != (len(m.reasons) == 0) && !m.settled || ok && len(m.reasons) > 0 {
		t.Fatalf("due %s (%t) with reasons %v", due, ok, m.reasons)
	}
	if !ok || m.settled {
		return
	}
	switch left := m.Budget() - m.used; {
	case left <= 0 && !due.Equal(m.at):
		t.Fatalf("used up by %s, but due %s", m.at, due)
	case left > 0 && m.Used(m.calendar, due) != m.Budget():
		t.Fatalf("%s used at the deadline, want %s", m.Used(m.calendar, due), m.Budget())
	case left > 0 && m.Used(m.calendar, due.Add(-time.Second)) >= m.Budget():
		t.Fatalf("due %s is not the first instant", due)
	}
}

// checkLedger checks that entries are in order, nothing is used up while paused, and JSON round-trips.
func (m *model) checkLedger(t *rapid.T) {
	for i, e := range m.Ledger[1:] {
		before := policy.Clock{Counts: m.Counts, Ledger: m.Ledger[:i+1]}
		switch last := m.Ledger[i]; {
		case e.At.Before(last.At):
			t.Fatalf("entry %d is earlier than the one before it", i+1)
		case !before.Running() && e.Used != last.Used:
			t.Fatalf("entry %d: %s used while paused", i+1, e.Used-last.Used)
		case m.Used(m.calendar, last.At.Add(e.At.Sub(last.At)/2).Truncate(time.Second)) > e.Used:
			t.Fatalf("entry %d: less is used up than before it", i+1)
		}
	}
	data, err := json.Marshal(m.Clock)
	if err != nil {
		t.Fatalf("%v", err)
	}
	var again policy.Clock
	if err := json.Unmarshal(data, &again); err != nil || !reflect.DeepEqual(again, m.Clock) {
		t.Fatalf("JSON gave back %+v (%v), want %+v", again, err, m.Clock)
	}
}

// checkExplanation checks that each line continues the previous one, and that the lines add up.
func (m *model) checkExplanation(t *rapid.T, until time.Time) {
	var sum time.Duration
	var at time.Time
	for i, line := range m.Explain(m.calendar, until) {
		sum += line.Used
		switch {
		case line.Total != sum:
			t.Fatalf("line %d (%s): total %s, want %s", i, line.Text, line.Total, sum)
		case line.From.Before(at) || line.To.Before(line.From):
			t.Fatalf("line %d (%s) goes back", i, line.Text)
		case len(line.Reasons) > 0 && line.Used > 0:
			t.Fatalf("line %d (%s) used %s while paused", i, line.Text, line.Used)
		}
		at = line.To
	}
	if !m.settled && sum != m.Used(m.calendar, until) {
		t.Fatalf("the explanation adds up to %s, want %s", sum, m.Used(m.calendar, until))
	}
}
