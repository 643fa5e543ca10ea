// Package faulttest judges a desk that went through faults: from what clients were told, from what the desk holds afterwards, and
// from the faults that there were, it finds what was lost, doubled, late, or stopped for good. It also draws schedules of faults from
// a seed. It touches nothing itself: internal/e2e runs the desk. For tests only.
package faulttest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// Kind is what happens to a part of the system.
type Kind string

// The kinds of faults. After Kill and Stop the part is started again when the fault ends.
const (
	Kill        Kind = "kill"         // kill -9
	Stop        Kind = "stop"         // SIGTERM, and it may finish what it does
	Freeze      Kind = "freeze"       // SIGSTOP, then SIGCONT
	Fill        Kind = "fill"         // its disk has no room left
	Cut         Kind = "cut"          // connections to it are reset
	Refuse      Kind = "refuse"       // and new ones, too
	Stall       Kind = "stall"        // connections to it stay open, and nothing passes
	LoseAnswers Kind = "lose answers" // it does what it is asked for, and the connection is reset before the answer
	Defer       Kind = "defer"        // SMTP: 451 to a recipient
	HangUp      Kind = "hang up"      // SMTP: 421 after DATA
)

// Part is a part of the system that faults happen to.
type Part string

// The parts. The links are the connections to a neighbour, whose own process goes on.
const (
	API1         Part = "api 1"
	API2         Part = "api 2"
	Worker1      Part = "worker 1"
	Worker2      Part = "worker 2"
	Receiver     Part = "mail receiver"
	Temporal     Part = "Temporal"
	Postgres     Part = "PostgreSQL"
	Blobs        Part = "blob store"
	SMTP         Part = "SMTP server"
	APILink      Part = "link to the APIs"
	ReceiverLink Part = "link to the mail receiver"
	TemporalLink Part = "link to Temporal"
	PostgresLink Part = "link to PostgreSQL"
	SMTPLink     Part = "link to the SMTP server"
)

// faults lists what can happen to what.
var faults = []struct {
	part  Part
	kinds []Kind
}{
	{API1, []Kind{Kill, Stop, Freeze}},
	{API2, []Kind{Kill, Stop, Freeze}},
	{Worker1, []Kind{Kill, Stop, Freeze}},
	{Worker2, []Kind{Kill, Stop, Freeze}},
	{Receiver, []Kind{Kill, Stop, Freeze}},
	{Temporal, []Kind{Kill, Stop, Freeze}},
	{Postgres, []Kind{Kill, Stop, Freeze, Fill}},
	{Blobs, []Kind{Fill}},
	{SMTP, []Kind{Defer, HangUp}},
	{APILink, []Kind{Cut, LoseAnswers}},
	{ReceiverLink, []Kind{Cut, LoseAnswers}},
	{TemporalLink, []Kind{Cut, Refuse, Stall}},
	{PostgresLink, []Kind{Cut, Refuse, Stall}},
	{SMTPLink, []Kind{Cut, Refuse, Stall, LoseAnswers}},
}

// Notification is when the tickets are notified of an emergency: one after the other, of its start and of its end.
type Notification string

// The notifications.
const (
	OfStart Notification = "start"
	OfEnd   Notification = "end"
)

// Fault is one of a schedule. Once it was there, Began and Ended say when.
type Fault struct {
	Part  Part
	Kind  Kind
	After time.Duration // from the beginning of the round
	Lasts time.Duration
	Amid  Notification // it has to wait until this is under way; empty: it does not

	Began, Ended time.Time
}

// String describes the fault on a line of a log.
func (f Fault) String() string {
	text := fmt.Sprintf("%s %s after %s for %s", f.Kind, f.Part, f.After.Round(time.Millisecond), f.Lasts.Round(time.Millisecond))
	if f.Amid != "" {
		text += fmt.Sprintf(", while tickets are notified of the %s of an emergency", f.Amid)
	}
	if !f.Began.IsZero() {
		text += fmt.Sprintf(", from %s to %s", f.Began.Format("15:04:05.000"), f.Ended.Format("15:04:05.000"))
	}
	return text
}

const (
	spacing  = 900 * time.Millisecond // between the beginnings of two faults, on average
	shortest = 200 * time.Millisecond
	longest  = 4 * time.Second
	// A process that is frozen for this long loses its claims and leases to others, and still believes that it has them.
	frozen = 24 * time.Second
)

// Schedule is what happens in a round.
type Schedule struct {
	Faults    []Fault       // in the order of their beginnings
	Emergency time.Duration // when the desk closes, from the beginning of the round
}

// Round returns a round: each fault that there is once, in an order, at times and for durations that the seed and the round's
// number determine. Several overlap. One process is frozen for so long that others take over from it. What the notification of all
// tickets of an emergency depends on is killed around it, and one kill each waits until that of the start and of the end is under way.
func Round(seed uint64, round int) Schedule {
	r := rand.New(rand.NewPCG(seed, uint64(round))) //nolint:gosec // it has to be repeatable
	var all []Fault
	for _, f := range faults {
		for _, kind := range f.kinds {
			all = append(all, Fault{Part: f.part, Kind: kind, Lasts: between(r, shortest, longest)})
		}
	}
	r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	middle := amidEmergency(all)
	all[middle].Amid, all[middle+1].Amid = OfStart, OfEnd
	long := []Part{API1, Worker1, Receiver}[r.IntN(3)]
	after := time.Duration(0)
	for i := range all {
		after += between(r, 0, 2*spacing)
		all[i].After = after
		if all[i].Part == long && all[i].Kind == Freeze {
			all[i].Lasts = frozen
		}
	}
	return Schedule{Faults: all, Emergency: max(0, all[middle].After-spacing)}
}

// amidEmergency moves the kills of what an emergency depends on into the middle, in their order, and returns where they begin.
func amidEmergency(all []Fault) int {
	amid := func(f Fault) bool { return f.Kind == Kill && f.happensTo(Worker1, Worker2, Temporal, Postgres) }
	var kills, others []Fault
	for _, f := range all {
		if amid(f) {
			kills = append(kills, f)
		} else {
			others = append(others, f)
		}
	}
	middle := len(others) / 2
	copy(all, slices.Insert(others, middle, kills...))
	return middle
}

func between(r *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(r.Int64N(int64(most-least)))
}

// happensTo reports whether the fault happens to one of some parts.
func (f Fault) happensTo(parts ...Part) bool { return slices.Contains(parts, f.Part) }
