package ticket_test

import (
	"fmt"
	"reflect"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// gateAt is the gate from an instant on.
type gateAt struct {
	at   time.Time
	gate ticket.Gate
}

// changeGate lets a supervisor do something to the gate: what it was up to now stays as it was.
func (w *world) changeGate() {
	first := w.now.Add(time.Second)
	after := []time.Duration{0, time.Second, 5 * time.Second, time.Minute, 3 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour}
	draw := func(what string) time.Time { return first.Add(rapid.SampledFrom(after).Draw(w.t, what)) }
	by := func() time.Duration {
		return rapid.SampledFrom([]time.Duration{4 * time.Second, time.Hour, 26 * time.Hour, 0}).Draw(w.t, "delay")
	}
	all := slices.Clone(w.gate.Emergencies)
	i := rapid.IntRange(0, 4).Draw(w.t, "which")
	if i >= len(all) {
		if len(all) == 5 {
			return
		}
		e := ticket.Emergency{ID: ticket.EmergencyID(fmt.Sprintf("E-%010d", len(w.gates))), From: draw("from"), Kind: ticket.EmergencyClosed}
		if rapid.Bool().Draw(w.t, "ends") {
			e.Until = e.From.Add(time.Second + rapid.SampledFrom(after).Draw(w.t, "lasts"))
		}
		if rapid.IntRange(0, 2).Draw(w.t, "kind") == 0 {
			e.Kind, e.Delays = ticket.EmergencyDelayed, []ticket.Delay{{From: e.From, By: by()}}
		}
		w.setGate(append(all, e))
		return
	}
	e := all[i]
	e.Delays = slices.Clone(e.Delays)
	switch planned, over := !e.From.Before(first), !e.Until.IsZero() && e.Until.Before(first); {
	case over:
		return
	case planned && rapid.IntRange(0, 3).Draw(w.t, "cancel") == 0:
		w.setGate(slices.Delete(all, i, i+1))
		return
	case planned && rapid.Bool().Draw(w.t, "move"):
		e.From = draw("new from")
		if len(e.Delays) > 0 {
			e.Delays = []ticket.Delay{{From: e.From, By: e.Delays[len(e.Delays)-1].By}}
		}
		if !e.Until.IsZero() && !e.Until.After(e.From) {
			e.Until = time.Time{}
		}
	case !planned && len(e.Delays) > 0 && (e.Until.IsZero() || e.Until.After(first)) && rapid.Bool().Draw(w.t, "change"):
		e.Delays = slices.DeleteFunc(e.Delays, func(d ticket.Delay) bool { return !d.From.Before(first) })
		e.Delays = append(e.Delays, ticket.Delay{From: first, By: by()})
	default:
		e.Until = time.Time{}
		if rapid.IntRange(0, 3).Draw(w.t, "ends") > 0 {
			e.Until = draw("until")
		}
		if planned && !e.Until.IsZero() && !e.Until.After(e.From) {
			e.Until = e.From.Add(time.Second)
		}
	}
	all[i] = e
	w.setGate(all)
}

func (w *world) setGate(all []ticket.Emergency) {
	slices.SortFunc(all, func(a, b ticket.Emergency) int { return a.From.Compare(b.From) })
	w.gate = ticket.Gate{Revision: w.gate.Revision + 1, Emergencies: all}
	w.gates = append(w.gates, gateAt{w.now, w.gate})
}

// openGate lifts whatever has no end.
func (w *world) openGate() {
	all := slices.Clone(w.gate.Emergencies)
	for i, e := range all {
		if e.Until.IsZero() {
			all[i].Until = w.now.Add(time.Second)
			if !e.From.Before(all[i].Until) {
				all[i].Until = e.From.Add(time.Second)
			}
		}
	}
	w.setGate(all)
}

// TestModel_lateAndDoubledStepsTellTheSame plays a life punctually, and again with workers that are down for any time,
// take things in any portions, and hear of the gate late, twice or never.
func TestModel_lateAndDoubledStepsTellTheSame(t *testing.T) {
	versions := modelVersions(t)
	for version, p := range versions {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := newWorld(t, version, versions)
				w.mailed = false // news of mails come when they come, to the laggard as to the punctual
				w.renumbers = true
				w.live()
				w.end()
				end := w.now.AddDate(1, 0, 0)
				l := &laggard{world: w, ticket: ticket.Draft(number, customer, version, p), rosters: w.staff}
				l.live(end)
				var want []ticket.Event
				for _, e := range w.events {
					if e.Kind != ticket.EventMailBounced && e.Kind != ticket.EventCallFailed {
						e.N = len(want) + 1
						want = append(want, e)
					}
				}
				for i, e := range want {
					if i >= len(l.events) || !reflect.DeepEqual(e, l.events[i]) {
						t.Fatalf("event %d is %+v, punctually it was %+v", i+1, l.events[min(i, len(l.events)-1)], e)
					}
				}
				for _, name := range policy.ClockNames() {
					if got, want := *l.ticket.Promise(name), *w.ticket.Promise(name); !reflect.DeepEqual(got, want) {
						t.Fatalf("%s is %+v, punctually it was %+v", name, got, want)
					}
				}
				if len(l.events) != len(want) || !reflect.DeepEqual(l.ticket.Emergencies, w.ticket.Emergencies) {
					t.Fatalf("%d events and %+v, punctually %d and %+v", len(l.events), l.ticket.Emergencies, len(want), w.ticket.Emergencies)
				}
			})
		})
	}
}

// laggard lives a world's life again, at another pace.
type laggard struct {
	*world
	ticket  ticket.Ticket
	rosters ticket.Rosters
	events  []ticket.Event
	taken   int // commands
}

// live takes steps at random instants, and at last one at the end.
func (l *laggard) live(end time.Time) {
	now := l.commands[0].At
	for range rapid.IntRange(0, 20).Draw(l.t, "late steps") {
		if later := now.Add(rapid.SampledFrom([]time.Duration{
			0, time.Second, 9 * time.Second, time.Minute, 2 * time.Hour, 20 * time.Hour, 5 * 24 * time.Hour, 40 * 24 * time.Hour,
		}).Draw(l.t, "late")); later.Before(end) {
			now = later
		}
		for range rapid.IntRange(1, 2).Draw(l.t, "times") {
			l.step(now, rapid.SampledFrom([]string{"commands", "command", "due", "gate"}).Draw(l.t, "late step"))
		}
	}
	l.step(end, "gate")
}

// step is one that a worker takes, as the store does it: see store.Step.
func (l *laggard) step(now time.Time, what string) {
	d := ticket.Desk{Gate: l.gateOf(now)}
	accepted := 0
	for accepted < len(l.commands) && !l.commands[accepted].At.After(now) {
		accepted++
	}
	switch {
	case what == "command" && l.taken < accepted:
		l.take(d, l.taken+1)
	case what == "commands":
		l.take(d, accepted)
	case what == "gate":
		l.take(d, accepted)
		l.keep(ticket.Advance(l.ticket, l.with(d), now))
	case what == "due":
		m, ok := ticket.Next(l.ticket, l.versions[l.ticket.Policy])
		if waits := l.taken < accepted && l.commands[l.taken].At.Before(m.Due); ok && !m.Due.After(now) && !waits {
			l.keep(ticket.Advance(l.ticket, l.with(d), m.Due))
		}
	}
	until := now
	if l.taken < accepted {
		until = l.commands[l.taken].At
	}
	l.keep(ticket.Weave(l.ticket, l.with(d), until))
}

func (l *laggard) with(d ticket.Desk) ticket.Desk {
	d.Policy, d.Rosters, d.Unmailed = l.versions[l.ticket.Policy], l.rosters, !l.mailed
	return d
}

// gateOf is the gate as it was known at an instant.
func (l *laggard) gateOf(now time.Time) ticket.Gate {
	var g ticket.Gate
	for _, known := range l.gates {
		if !known.at.After(now) {
			g = known.gate
		}
	}
	return g
}

func (l *laggard) take(d ticket.Desk, upTo int) {
	for ; l.taken < upTo; l.taken++ {
		l.keep(ticket.Take(l.ticket, l.with(d), l.commands[l.taken]))
	}
}

func (l *laggard) keep(r ticket.Result, err error) {
	if err != nil {
		l.t.Fatalf("a late step failed: %v", err)
	}
	l.rosters = r.Rosters
	l.ticket = reread(l.t, ticket.Keep(r.Ticket, l.versions[r.Ticket.Policy], int64(l.taken), 0, time.Time{})).Ticket
	l.events = append(l.events, r.Events...)
}
