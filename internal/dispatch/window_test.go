package dispatch_test

import (
	"container/heap"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/dispatch"
)

// deskModel is a desk in a rush, in a time of its own: a station that serves jobs in the order of their arrival, some at once.
// There are always more new tickets waiting than may be started.
type deskModel struct {
	servers  int                                   // jobs that are served at once
	service  func(now time.Duration) time.Duration // of one job that begins now
	commands time.Duration                         // between two commands; 0: there are none
	fixed    int                                   // a window that follows nothing; 0: the window is used
	random   *rand.Rand
	duration time.Duration

	window   dispatch.Window
	now      time.Duration
	underWay int
	queue    []modelJob
	serving  modelJobs

	took    []time.Duration // by commands
	started int
	sizes   []int
}

type modelJob struct {
	command     bool
	began, ends time.Duration
	underWay    int
}

type modelJobs []modelJob

func (j modelJobs) Len() int           { return len(j) }
func (j modelJobs) Less(a, b int) bool { return j[a].ends < j[b].ends }
func (j modelJobs) Swap(a, b int)      { j[a], j[b] = j[b], j[a] }
func (j *modelJobs) Push(x any)        { *j = append(*j, x.(modelJob)) }
func (j *modelJobs) Pop() any {
	all := *j
	last := all[len(all)-1]
	*j = all[:len(all)-1]
	return last
}

func (m *deskModel) instant(d time.Duration) time.Time { return time.Unix(1_000_000, 0).Add(d) }

func (m *deskModel) allowed() int {
	if m.fixed > 0 {
		return m.fixed
	}
	return m.window.Allowed(m.instant(m.now))
}

// run plays the rush.
func (m *deskModel) run(t *testing.T) *deskModel {
	t.Helper()
	nextCommand := m.commands
	for m.now < m.duration {
		allowed := m.allowed()
		if m.fixed == 0 && (allowed < dispatch.MinWindow || allowed > dispatch.MaxWindow) {
			t.Fatalf("%d new tickets are allowed", allowed)
		}
		for m.underWay < allowed {
			m.underWay++
			m.queue = append(m.queue, modelJob{began: m.now, underWay: m.underWay})
		}
		m.window.Full()
		m.sizes = append(m.sizes, allowed)
		for len(m.queue) > 0 && len(m.serving) < m.servers {
			job := m.queue[0]
			m.queue = m.queue[1:]
			job.ends = m.now + time.Duration((0.5+m.random.Float64())*float64(m.service(m.now)))
			heap.Push(&m.serving, job)
		}
		if m.commands > 0 && (len(m.serving) == 0 || nextCommand < m.serving[0].ends) {
			m.now = nextCommand
			nextCommand += m.commands
			m.queue = append(m.queue, modelJob{command: true, began: m.now, underWay: m.underWay})
			continue
		}
		job := heap.Pop(&m.serving).(modelJob)
		m.now = job.ends
		began, ended := m.instant(job.began), m.instant(job.ends)
		if job.command {
			m.took = append(m.took, job.ends-job.began)
			m.window.Commanded(began, ended, job.underWay)
			continue
		}
		m.underWay--
		m.started++
		m.window.Started(began, ended, job.underWay)
	}
	return m
}

func (m *deskModel) p95() time.Duration {
	slices.Sort(m.took)
	return m.took[len(m.took)*95/100]
}

func constant(d time.Duration) func(time.Duration) time.Duration {
	return func(time.Duration) time.Duration { return d }
}

// modelRandom returns a source of random numbers whose seed a failing test prints.
func modelRandom(t *testing.T) func() *rand.Rand {
	t.Helper()
	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	return func() *rand.Rand { return rand.New(rand.NewPCG(seed, 1)) } //nolint:gosec // a test's
}

// Where Temporal serves one at a time, more new tickets at once are no faster, and each command queues behind them.
func TestWindow_ofASlowServerLetsCommandsThroughAndLosesNoThroughput(t *testing.T) {
	source := modelRandom(t)
	model := func(fixed int) *deskModel {
		return (&deskModel{servers: 1, service: constant(20 * time.Millisecond), commands: 100 * time.Millisecond, fixed: fixed, random: source(), duration: 2 * time.Minute}).run(t)
	}
	follows, before := model(0), model(dispatch.MaxWindow)
	if got, limit := follows.p95(), 10*20*time.Millisecond; got > limit || before.p95() < 2*limit {
		t.Errorf("p95 of commands: %s, and %s with a fixed window", got, before.p95())
	}
	if follows.started < before.started*95/100 {
		t.Errorf("%d were started, and %d with a fixed window", follows.started, before.started)
	}
}

// Where a large cluster serves many at once, latencies stay as they are, and the window opens.
func TestWindow_ofAFastClusterOpens(t *testing.T) {
	source := modelRandom(t)
	model := func(fixed int) *deskModel {
		return (&deskModel{servers: 200, service: constant(50 * time.Millisecond), commands: 20 * time.Millisecond, fixed: fixed, random: source(), duration: time.Minute}).run(t)
	}
	follows, most := model(0), model(dispatch.MaxWindow)
	if follows.started < most.started*7/10 {
		t.Errorf("%d were started, and %d with the largest window", follows.started, most.started)
	}
}

// A server that becomes slow for good is no reason to start one ticket at a time for ever: the latency at rest is measured again.
func TestWindow_followsAServerWhoseSpeedChangesForGood(t *testing.T) {
	source := modelRandom(t)
	for name, speeds := range map[string][2]time.Duration{"slower": {20 * time.Millisecond, 200 * time.Millisecond}, "faster": {200 * time.Millisecond, 20 * time.Millisecond}} {
		t.Run(name, func(t *testing.T) {
			model := func(fixed int) *deskModel {
				return (&deskModel{servers: 16, random: source(), fixed: fixed, duration: 4 * time.Minute, service: func(now time.Duration) time.Duration {
					if now < 2*time.Minute {
						return speeds[0]
					}
					return speeds[1]
				}}).run(t)
			}
			follows, most := model(0), model(dispatch.MaxWindow)
			if follows.started < most.started*7/10 {
				t.Errorf("%d were started, and %d with the largest window", follows.started, most.started)
			}
			if last := slices.Max(follows.sizes[len(follows.sizes)-1000:]); last > 3*follows.servers {
				t.Errorf("%d are allowed at the end, although %d are served at once", last, follows.servers)
			}
		})
	}
}

// While nothing was served for a minute, latencies were high; afterwards they are not.
func TestWindow_recoversFromAnOutage(t *testing.T) {
	source := modelRandom(t)
	outage := func(now time.Duration) time.Duration {
		if now > time.Minute && now < 2*time.Minute {
			return time.Minute
		}
		return 20 * time.Millisecond
	}
	m := (&deskModel{servers: 16, random: source(), duration: 3 * time.Minute, service: outage}).run(t)
	if last := slices.Max(m.sizes[len(m.sizes)-200:]); last < 12 {
		t.Errorf("only %d are allowed a minute after an outage", last)
	}
}

// The first tickets of a process may have waited for hours for a worker, which says nothing about those after them.
func TestWindow_opensAfterAWorkerWasAwayAtTheBeginning(t *testing.T) {
	source := modelRandom(t)
	m := (&deskModel{servers: 64, random: source(), duration: 90*time.Minute + time.Minute, service: func(now time.Duration) time.Duration {
		if now == 0 {
			return time.Hour
		}
		return 20 * time.Millisecond
	}}).run(t)
	if got := slices.Max(m.sizes); got < 32 {
		t.Errorf("at most %d were allowed", got)
	}
}

// What commands cost each other is no reason to start fewer tickets.
func TestWindow_staysOpenWhileCommandsAreSlowForReasonsOfTheirOwn(t *testing.T) {
	var w dispatch.Window
	now := time.Unix(1_000_000, 0)
	for range 2000 {
		n := w.Allowed(now)
		w.Full()
		for i := range n {
			w.Commanded(now, now.Add(3*time.Second), n)
			w.Started(now, now.Add(20*time.Millisecond), i+1)
		}
		w.Commanded(now, now.Add(3*time.Second), 1)
		now = now.Add(20 * time.Millisecond)
	}
	if got := w.Allowed(now); got != dispatch.MaxWindow && got != dispatch.MinWindow { // it may just measure the latency at rest
		t.Errorf("%d are allowed", got)
	}
}

// Commands that are slower because of new tickets make the window shrink, although the tickets themselves are not slow.
func TestWindow_shrinksWhenOnlyCommandsAreSlow(t *testing.T) {
	var w dispatch.Window
	now := time.Unix(1_000_000, 0)
	largest := 0
	for range 2000 {
		n := w.Allowed(now)
		largest = max(largest, n)
		w.Full()
		for i := range n {
			w.Started(now, now.Add(20*time.Millisecond), i+1)
		}
		now = now.Add(30 * time.Millisecond)
		for range 10 {
			w.Commanded(now, now.Add(time.Duration(max(n-6, 1))*50*time.Millisecond), n)
		}
	}
	if largest > 10 {
		t.Errorf("%d were allowed", largest)
	}
}

// A few submissions at a time don't open the window for a rush that may come.
func TestWindow_growsOnlyWhileMoreWait(t *testing.T) {
	var w dispatch.Window
	now := time.Unix(1_000_000, 0)
	for range 500 {
		if got := w.Allowed(now); got != dispatch.MinWindow {
			t.Fatalf("%d are allowed", got)
		}
		w.Started(now, now.Add(20*time.Millisecond), 1)
		now = now.Add(time.Second)
	}
}
