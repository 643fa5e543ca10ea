package faulttest

import (
	"fmt"
	"slices"
	"time"
)

// dueEvent is what happens once to a ticket, or to a clock of it.
type dueEvent struct{ ticket, clock, kind string }

func (e Event) due() dueEvent { return dueEvent{e.Ticket, e.Clock, e.Kind} }

// restartsSilence reports whether another nudge may follow.
func (e Event) restartsSilence() bool {
	return e.Status != "" || e.Answers || e.Kind == "progress-updated"
}

// once checks that each clock reminds and is breached once, and that a requester is nudged once for each silence.
func (j *judge) once() {
	events := slices.Clone(j.f.Events)
	slices.SortStableFunc(events, func(a, b Event) int { return a.N - b.N })
	times, all := map[dueEvent]int{}, 0
	for _, e := range events {
		switch {
		case e.Kind == "reminded" || e.Kind == "breached" || e.Kind == "nudged":
			all++
			if times[e.due()]++; times[e.due()] > 1 {
				j.fail(DueTwice, "%s of %s %s at %s", e.Kind, e.Ticket, e.Clock, e.At.Format(time.TimeOnly))
			}
		case e.restartsSilence():
			delete(times, dueEvent{e.Ticket, "", "nudged"})
		}
	}
	j.tally("reminders, breaches, nudges", all, all, nil, []Check{DueTwice}, "")
}

// promised is how long after the last fault that can delay it a due event may fire. Faults that follow one another within this time
// count as one, and those of a round do.
const promised = 2 * time.Minute

// processing is how long an incoming email can wait for an attempt that has died.
const processing = 30 * time.Second

func (e Event) endsEscalation() bool {
	return e.Answers || e.Kind == "acknowledged" || e.Status == "resolved" || e.Status == "closed"
}

// steps checks the escalation of each breach.
func (j *judge) steps() {
	type breach struct{ ticket, clock string }
	breaches, fired, times := map[breach]time.Time{}, map[breach]int{}, map[breach]map[int]int{}
	byTicket := map[string][]Event{}
	steps := 0
	for _, e := range j.f.Events {
		byTicket[e.Ticket] = append(byTicket[e.Ticket], e)
		b := breach{e.Ticket, e.Clock}
		switch e.Kind {
		case "breached":
			if first, again := breaches[b]; !again || e.At.Before(first) { // the escalation counts from the first
				breaches[b] = e.At
			}
		case "escalated":
			steps++
			if times[b] == nil {
				times[b] = map[int]int{}
			}
			if times[b][e.Step]++; times[b][e.Step] > 1 {
				j.fail(StepTwice, "step %d of %s %s", e.Step, e.Ticket, e.Clock)
			}
			fired[b] = max(fired[b], e.Step)
		}
		if (e.Kind == "reminded" || e.Kind == "breached" || e.Kind == "escalated") && j.inEmergency(e.At) {
			j.fail(StepInEmergency, "%s of %s %s at %s", e.Kind, e.Ticket, e.Clock, e.At.Format(time.TimeOnly))
		}
	}
	for b := range fired {
		if breaches[b].IsZero() {
			j.fail(StepLost, "%s %s escalates without a breach", b.ticket, b.clock)
		}
	}
	wanted := 0
	for b, at := range breaches {
		for step := 1; step <= fired[b]; step++ {
			if times[b][step] == 0 {
				j.fail(StepLost, "step %d of %s %s", step, b.ticket, b.clock)
			}
		}
		wanted += fired[b]
		if next := fired[b]; next < len(j.f.Steps) {
			due := at.Add(j.f.Steps[next] + j.closedFor())
			if !slices.ContainsFunc(byTicket[b.ticket], func(e Event) bool { return e.endsEscalation() && !e.At.After(due) }) {
				wanted++
				j.fail(StepLost, "step %d of %s %s, which was breached at %s", next+1, b.ticket, b.clock, at.Format(time.TimeOnly))
			}
		}
	}
	j.tally("escalation steps", wanted, steps, []Check{StepLost}, []Check{StepTwice}, fmt.Sprint(j.count(StepInEmergency), " in an emergency"))
}

func (j *judge) inEmergency(at time.Time) bool {
	return slices.ContainsFunc(j.f.Emergencies, func(e Emergency) bool { return !at.Before(e.Start) && at.Before(e.End) })
}

// closedFor is for how long clocks were paused by emergencies in all.
func (j *judge) closedFor() (total time.Duration) {
	for _, e := range j.f.Emergencies {
		total += e.End.Sub(e.Start)
	}
	return total
}

// lateness checks when due events fired. One that was late while a part had a fault, or shortly after, is explained by it.
func (j *judge) lateness() {
	faults := slices.Clone(j.f.Faults)
	slices.SortFunc(faults, func(a, b Fault) int { return a.Began.Compare(b.Began) })
	due, late, worst := 0, 0, time.Duration(0)
	for _, e := range j.f.Events {
		switch e.Kind {
		case "reminded", "breached", "escalated", "nudged":
		default:
			continue
		}
		due++
		lag := e.Recorded.Sub(e.At)
		if lag > worst {
			worst, j.report.Latest = lag, e
		}
		if lag > 2*time.Second { // instants are whole seconds
			late++
		}
		if from := excused(faults, e.At); e.Recorded.Sub(from) > promised {
			j.fail(StepLate, "%s of %s %s was due at %s and fired %s later", e.Kind, e.Ticket, e.Clock, e.At.Format(time.TimeOnly), lag.Round(time.Second))
		}
	}
	last := j.report.Latest
	j.tally("due events", due, due, nil, nil, fmt.Sprintf("%d later than two seconds, at most %s (%s of %s, due at %s); excused until %s after the last fault of a round, or %s after one of the mail receiver; %d later than that",
		late, worst.Round(time.Second), last.Kind, last.Ticket, last.At.Format(time.TimeOnly), promised, promised+processing, j.count(StepLate)))
}

// excused is the instant from which something due is expected to fire: the end of the last fault of those that followed one another.
func excused(faults []Fault, due time.Time) time.Time {
	for _, f := range faults {
		if f.happensTo(Receiver) { // what it was processing counts from its arrival, and is tried again later
			f.Ended = f.Ended.Add(processing)
		}
		delays := f.happensTo(Receiver, Worker1, Worker2, Temporal, TemporalLink, Postgres, PostgresLink)
		if delays && f.Ended.After(due) && f.Began.Before(due.Add(promised)) {
			due = f.Ended
		}
	}
	return due
}

// emergencies checks that each ticket that was open stopped and went on once, at the instants of the emergency.
func (j *judge) emergencies() {
	type change struct{ ticket, emergency, kind string }
	changes, closed := map[change][]time.Time{}, map[string]time.Time{}
	for _, e := range j.f.Events {
		switch {
		case e.Kind == "paused" || e.Kind == "resumed":
			changes[change{e.Ticket, e.Emergency, e.Kind}] = append(changes[change{e.Ticket, e.Emergency, e.Kind}], e.At)
		case e.Status == "closed":
			closed[e.Ticket] = e.At
		}
	}
	open, paused := 0, 0
	for _, e := range j.f.Emergencies {
		for _, t := range j.f.Tickets {
			end := closed[t.Number]
			start := e.Start
			if t.Submitted.After(start) {
				start = t.Submitted // it begins with its clocks paused
			}
			for kind, at := range map[string]time.Time{"paused": start, "resumed": e.End} {
				seen := changes[change{t.Number, e.ID, kind}]
				wasOpen := t.Submitted.Before(e.End) && (end.IsZero() || end.After(at))
				if wasOpen && kind == "paused" {
					open++
					paused += min(len(seen), 1)
				}
				if len(seen) > 1 || wasOpen && len(seen) == 0 || len(seen) > 0 && !seen[0].Equal(at) {
					j.fail(EmergencyInexact, "%s %s at %v, not at %s", t.Number, kind, seen, at.Format(time.TimeOnly))
				}
			}
		}
	}
	j.tally("pauses for an emergency", open, paused, []Check{EmergencyInexact}, nil, "")
}
