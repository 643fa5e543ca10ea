package dispatch

import (
	"slices"
	"time"
)

const (
	minWindow = 2  // new tickets that are always started, however slow commands are
	maxWindow = 64 // at most; the workers of a large desk have tasks enough with so many

	startTolerance   = 2.0 // times the latency at rest that new tickets may take
	commandTolerance = 1.5 // likewise for commands, which people wait for

	restSamples    = 7                // latencies at rest that a comparison needs
	restAge        = 30 * time.Second // after which the latency at rest is measured again
	commandAge     = 5 * time.Second  // after which a command says nothing about now
	roundSamples   = 5                // fewest starts between two changes of the window
	commandSamples = 5                // likewise commands, while there are any,
	commandWait    = 2 * time.Second  // for so long
)

// window decides how many new tickets may be started and wait for their first step. It grows by one while latencies are near
// those at rest, and shrinks, at most by half, when they are not: more would not be faster, and whatever comes later would
// queue behind them. At rest means that minWindow new tickets or fewer are under way. So what commands cost each other does
// not count, however many there are, and what is compared belongs to the same machine at almost the same time.
//
// It is for one goroutine, and reads no clock. The zero window is ready to use.
type window struct {
	size     float64
	changed  time.Time // since when it has this size
	starts   int       // that began since then and have ended
	limited  bool      // as many as it allows were under way since then
	resting  int       // starts at rest that are still to be measured before it may grow
	measured time.Time // when the latency at rest was last measured

	start, command latency
	lastCommand    time.Time // when a command ended
}

// latency is what a kind of work takes, at rest and with the present window.
type latency struct{ rest, now recent }

// allowed returns how many new tickets may be under way.
func (w *window) allowed(now time.Time) int {
	if w.size == 0 {
		w.size, w.changed = minWindow, now
		w.rest(now)
	}
	if w.resting > 0 {
		return minWindow
	}
	return int(w.size)
}

// rest has the latency at rest measured again.
func (w *window) rest(now time.Time) { w.resting, w.measured = restSamples, now }

// full notes that as many as allowed are under way, and more are waiting.
func (w *window) full() { w.limited = true }

// took is a piece of work: when it began and ended, and how many new tickets were under way when it began, itself included.
type took struct {
	began, ended time.Time
	underWay     int
}

// commanded adds a command.
func (w *window) commanded(t took) {
	w.lastCommand = t.ended
	w.command.add(t, w.changed)
}

// started adds a new ticket that has taken its first step, and changes the window when enough of them have begun since the
// last change.
func (w *window) started(t took) {
	atRest := w.start.add(t, w.changed)
	if w.resting > 0 {
		if atRest && !t.began.Before(w.measured) {
			w.resting--
		}
		return
	}
	if !t.began.Before(w.changed) {
		w.starts++
	}
	commands := t.ended.Sub(w.lastCommand) < commandAge
	awaited := commands && w.command.now.n < commandSamples && t.ended.Sub(w.changed) < commandWait
	if w.starts < max(int(w.size), roundSamples) || awaited {
		return // too little is known about this size
	}
	pressure := w.start.times() / startTolerance
	if commands {
		pressure = max(pressure, w.command.times()/commandTolerance)
	}
	switch {
	case pressure > 1:
		w.resize(w.size/min(pressure, 2), t.ended)
	case w.limited:
		w.resize(w.size+1, t.ended)
	default:
		w.resize(w.size, t.ended)
	}
	if w.size > minWindow && t.ended.Sub(w.measured) >= restAge {
		w.rest(t.ended)
	}
}

func (w *window) resize(size float64, now time.Time) {
	w.size, w.changed = min(max(size, minWindow), maxWindow), now
	w.starts, w.limited = 0, false
	w.start.now, w.command.now = recent{}, recent{}
}

// add adds a piece of work to those at rest, or to those that began since the window has changed. It reports which.
func (l *latency) add(t took, changed time.Time) (atRest bool) {
	d := max(t.ended.Sub(t.began), time.Microsecond)
	if atRest = t.underWay <= minWindow; atRest {
		l.rest.add(d)
	}
	if !t.began.Before(changed) {
		l.now.add(d)
	}
	return atRest
}

// times returns the latency now as a multiple of that at rest, or 0 if too little is known.
func (l *latency) times() float64 {
	if l.rest.n < restSamples || l.now.n == 0 {
		return 0
	}
	return float64(l.now.median()) / float64(l.rest.median())
}

// recent are the last durations of a kind, of which a single one that took very long says nothing.
type recent struct {
	last [restSamples]time.Duration
	n    int // added so far
}

func (r *recent) add(d time.Duration) {
	r.last[r.n%len(r.last)] = d
	r.n++
}

// median returns the median, or 0 if there is none.
func (r *recent) median() time.Duration {
	if r.n == 0 {
		return 0
	}
	some := r.last
	all := some[:min(r.n, len(some))]
	slices.Sort(all)
	return all[len(all)/2]
}
