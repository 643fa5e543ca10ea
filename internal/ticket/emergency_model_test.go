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

// scheduleAt is the emergency schedule from an instant on.
type scheduleAt struct {
	at       time.Time
	schedule ticket.EmergencySchedule
}

// changeSchedule declares, changes, ends or cancels an emergency. The schedule up to now stays as it is.
func (w *model) changeSchedule() {
	first := w.now.Add(time.Second)
	after := []time.Duration{0, time.Second, 5 * time.Second, time.Minute, 3 * time.Hour, 30 * time.Hour, 9 * 24 * time.Hour}
	draw := func(what string) time.Time { return first.Add(rapid.SampledFrom(after).Draw(w.t, what)) }
	by := func() time.Duration {
		return rapid.SampledFrom([]time.Duration{4 * time.Second, time.Hour, 26 * time.Hour, 0}).Draw(w.t, "delay")
	}
	all := slices.Clone(w.schedule.Emergencies)
	i := rapid.IntRange(0, 4).Draw(w.t, "which")
	if i >= len(all) {
		if len(all) == 5 {
			return
		}
		e := ticket.Emergency{ID: ticket.EmergencyID(fmt.Sprintf("E-%010d", len(w.schedules))), From: draw("from"), Kind: ticket.EmergencyClosed}
		if rapid.Bool().Draw(w.t, "ends") {
			e.Until = e.From.Add(time.Second + rapid.SampledFrom(after).Draw(w.t, "lasts"))
		}
		if rapid.IntRange(0, 2).Draw(w.t, "kind") == 0 {
			e.Kind, e.Delays = ticket.EmergencyDelayed, []ticket.Delay{{From: e.From, By: by()}}
		}
		w.setSchedule(append(all, e))
		return
	}
	e := all[i]
	e.Delays = slices.Clone(e.Delays)
	switch planned, over := !e.From.Before(first), !e.Until.IsZero() && e.Until.Before(first); {
	case over:
		return
	case planned && rapid.IntRange(0, 3).Draw(w.t, "cancel") == 0:
		w.setSchedule(slices.Delete(all, i, i+1))
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
	w.setSchedule(all)
}

func (w *model) setSchedule(all []ticket.Emergency) {
	slices.SortFunc(all, func(a, b ticket.Emergency) int { return a.From.Compare(b.From) })
	w.schedule = ticket.EmergencySchedule{Revision: w.schedule.Revision + 1, Emergencies: all}
	w.schedules = append(w.schedules, scheduleAt{w.now, w.schedule})
}

// endEmergencies lifts the emergencies that have no end.
func (w *model) endEmergencies() {
	all := slices.Clone(w.schedule.Emergencies)
	for i, e := range all {
		if e.Until.IsZero() {
			all[i].Until = w.now.Add(time.Second)
			if !e.From.Before(all[i].Until) {
				all[i].Until = e.From.Add(time.Second)
			}
		}
	}
	w.setSchedule(all)
}

// The model runs with punctual steps, and again with workers that are down for any time, decide commands in any portions,
// and learn of the schedule late, twice or never.
func TestModel_lateAndRepeatedStepsRecordTheSame(t *testing.T) {
	versions := modelVersions(t)
	for version, p := range versions {
		t.Run(fmt.Sprint("version ", version), func(t *testing.T) {
			rapid.Check(t, func(t *rapid.T) {
				w := newModel(t, version, versions)
				w.mailed = false // deliveries would be reported at different times
				w.omitsEvents = true
				w.run()
				w.finish()
				end := w.now.AddDate(1, 0, 0)
				m := &lateModel{model: w, ticket: ticket.Draft(number, customer, version, p), rosters: w.staff}
				m.run(end)
				var want []ticket.Event
				for _, e := range w.events {
					if e.Kind != ticket.EventMailBounced && e.Kind != ticket.EventWebhookFailed {
						e.N = len(want) + 1
						want = append(want, e)
					}
				}
				for i, e := range want {
					if i >= len(m.events) || !reflect.DeepEqual(e, m.events[i]) {
						t.Fatalf("event %d is %+v, punctually it was %+v", i+1, m.events[min(i, len(m.events)-1)], e)
					}
				}
				for _, name := range policy.ClockNames() {
					if got, want := *m.ticket.Promise(name), *w.ticket.Promise(name); !reflect.DeepEqual(got, want) {
						t.Fatalf("%s is %+v, punctually it was %+v", name, got, want)
					}
				}
				if len(m.events) != len(want) || !reflect.DeepEqual(m.ticket.Emergencies, w.ticket.Emergencies) {
					t.Fatalf("%d events and %+v, punctually %d and %+v", len(m.events), m.ticket.Emergencies, len(want), w.ticket.Emergencies)
				}
			})
		})
	}
}

// lateModel repeats the commands of a model with late steps.
type lateModel struct {
	*model
	ticket  ticket.Ticket
	rosters ticket.Rosters
	events  []ticket.Event
	decided int // commands
}

// run takes steps at random instants and a last one at the end.
func (m *lateModel) run(end time.Time) {
	now := m.commands[0].At
	for range rapid.IntRange(0, 20).Draw(m.t, "late steps") {
		if later := now.Add(rapid.SampledFrom([]time.Duration{
			0, time.Second, 9 * time.Second, time.Minute, 2 * time.Hour, 20 * time.Hour, 5 * 24 * time.Hour, 40 * 24 * time.Hour,
		}).Draw(m.t, "late")); later.Before(end) {
			now = later
		}
		for range rapid.IntRange(1, 2).Draw(m.t, "times") {
			m.step(now, rapid.SampledFrom([]string{"commands", "command", "due", "schedule"}).Draw(m.t, "late step"))
		}
	}
	m.step(end, "schedule")
}

// step takes a step as app.Steps does.
func (m *lateModel) step(now time.Time, what string) {
	d := ticket.Environment{Schedule: m.scheduleOf(now)}
	accepted := 0
	for accepted < len(m.commands) && !m.commands[accepted].At.After(now) {
		accepted++
	}
	switch {
	case what == "command" && m.decided < accepted:
		m.decide(d, m.decided+1)
	case what == "commands":
		m.decide(d, accepted)
	case what == "schedule":
		m.decide(d, accepted)
		m.add(ticket.Advance(m.ticket, m.desk(d), now))
	case what == "due":
		next, ok := ticket.Next(m.ticket, m.versions[m.ticket.Policy])
		if waits := m.decided < accepted && m.commands[m.decided].At.Before(next.Due); ok && !next.Due.After(now) && !waits {
			m.add(ticket.Advance(m.ticket, m.desk(d), next.Due))
		}
	}
	until := now
	if m.decided < accepted {
		until = m.commands[m.decided].At
	}
	m.add(ticket.ApplyTransitions(m.ticket, m.desk(d), until))
}

func (m *lateModel) desk(d ticket.Environment) ticket.Environment {
	d.Policy, d.Rosters, d.RequesterDisabled = m.versions[m.ticket.Policy], m.rosters, !m.mailed
	return d
}

// scheduleOf returns the schedule as it was known at an instant.
func (m *lateModel) scheduleOf(now time.Time) ticket.EmergencySchedule {
	var g ticket.EmergencySchedule
	for _, known := range m.schedules {
		if !known.at.After(now) {
			g = known.schedule
		}
	}
	return g
}

func (m *lateModel) decide(d ticket.Environment, upTo int) {
	for ; m.decided < upTo; m.decided++ {
		m.add(ticket.Decide(m.ticket, m.desk(d), m.commands[m.decided]))
	}
}

func (m *lateModel) add(r ticket.Result, err error) {
	if err != nil {
		m.t.Fatalf("a late step failed: %v", err)
	}
	m.rosters = r.Rosters
	m.ticket = roundTrip(m.t, ticket.NewState(r.Ticket, m.versions[r.Ticket.Policy], int64(m.decided), 0, time.Time{})).Ticket
	m.events = append(m.events, r.Events...)
}
