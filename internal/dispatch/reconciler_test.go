package dispatch_test

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/dispatch"
	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// reconcilerFixture implements the ports of a reconciler in memory. The store's implementation is tested on PostgreSQL.
type reconcilerFixture struct {
	mu         sync.Mutex
	overdue    map[ticket.Number]desk.Overdue
	next       map[ticket.Number]time.Time
	found      map[ticket.Number]desk.CheckResult
	started    []ticket.Number
	executions map[ticket.Number]dispatch.Execution
	unlisted   map[ticket.Number]bool // by the visibility store, which lags
	settled    []ticket.Number        // closed; the visibility store lists their workflows as running
	fails      func(ticket.Number) error
	signals    map[ticket.Number][]time.Duration // since began
	described  int
	refused    error // of signals
	rounds     int
	audited    int
	began      time.Time
}

func newReconcilerFixture() *reconcilerFixture {
	return &reconcilerFixture{
		overdue: map[ticket.Number]desk.Overdue{}, next: map[ticket.Number]time.Time{}, found: map[ticket.Number]desk.CheckResult{},
		executions: map[ticket.Number]dispatch.Execution{}, unlisted: map[ticket.Number]bool{},
		signals: map[ticket.Number][]time.Duration{}, fails: func(ticket.Number) error { return nil }, began: time.Now(),
	}
}

// add adds an overdue ticket with a workflow.
func (w *reconcilerFixture) add(o desk.Overdue, e dispatch.Execution) {
	w.overdue[o.Number], w.executions[o.Number] = o, e
	w.started = append(w.started, o.Number)
}

func (w *reconcilerFixture) Lease(context.Context, string, string, time.Duration) (bool, error) {
	return true, nil
}
func (w *reconcilerFixture) EndLease(context.Context, string, string) error           { return nil }
func (w *reconcilerFixture) RecordRestarted(context.Context) error                    { return nil }
func (w *reconcilerFixture) DeleteHealthyChecks(context.Context, time.Duration) error { return nil }
func (w *reconcilerFixture) EnsureEmergencyWorkflow(context.Context) error            { return nil }

func (w *reconcilerFixture) Overdue(_ context.Context, _ time.Duration, limit int) (page []desk.Overdue, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, n := range slices.Sorted(maps.Keys(w.overdue)) {
		if !w.next[n].After(time.Now()) && len(page) < limit {
			page = append(page, w.overdue[n])
		}
	}
	return page, nil
}

func (w *reconcilerFixture) OverdueOf(_ context.Context, _ time.Duration, some []ticket.Number) (page []desk.Overdue, err error) {
	for _, n := range some {
		page = append(page, desk.Overdue{Number: n})
	}
	return page, nil
}

func (w *reconcilerFixture) TicketsWithWorkflow(_ context.Context, after ticket.Number, limit int) (page []ticket.Number, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	slices.Sort(w.started)
	for _, n := range w.started {
		if n > after && len(page) < limit {
			page = append(page, n)
		}
	}
	return page, nil
}

func (w *reconcilerFixture) RecordCheck(_ context.Context, o desk.Overdue, found desk.CheckResult, tries int, next time.Duration) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.found[o.Number], w.next[o.Number] = found, time.Now().Add(next)
	if known, is := w.overdue[o.Number]; is {
		known.Tries, known.Seen, known.Was = tries, o.Mark, found
		w.overdue[o.Number] = known
	}
	return nil
}

// Postpone implements records as the store does: a missing workflow stays missing.
func (w *reconcilerFixture) Postpone(ctx context.Context, o desk.Overdue, tries int, next time.Duration) error {
	found := desk.FoundRunning
	w.mu.Lock()
	if w.found[o.Number] == desk.FoundMissing {
		found = desk.FoundMissing
	}
	w.mu.Unlock()
	return w.RecordCheck(ctx, o, found, tries, next)
}

func (w *reconcilerFixture) RecordMissing(context.Context, []ticket.Number) error { return nil }

func (w *reconcilerFixture) DeleteCheck(_ context.Context, n ticket.Number) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.found, n)
	delete(w.next, n)
	return nil
}

func (w *reconcilerFixture) RecordRound(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.rounds++
	return nil
}

func (w *reconcilerFixture) RecordAudit(_ context.Context, audited int, _ bool) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.audited = audited
	return nil
}

func (w *reconcilerFixture) Execution(_ context.Context, n ticket.Number) (dispatch.Execution, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.described++
	return w.executions[n], w.fails(n)
}

func (w *reconcilerFixture) Running(_ context.Context, some []ticket.Number) (map[ticket.Number]bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	running := map[ticket.Number]bool{}
	for _, n := range some {
		running[n] = w.executions[n].Running && !w.unlisted[n]
	}
	return running, nil
}

func (w *reconcilerFixture) RunningTickets(_ context.Context, page func([]ticket.Number) error) error {
	return page(append(slices.Clone(w.started), w.settled...))
}

func (w *reconcilerFixture) WithoutWorkflow(_ context.Context, some []ticket.Number) ([]ticket.Number, error) {
	return slices.DeleteFunc(slices.Clone(some), func(n ticket.Number) bool { return !slices.Contains(w.settled, n) }), nil
}

func (w *reconcilerFixture) Reconcile(_ context.Context, n ticket.Number) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if err := cmp.Or(w.fails(n), w.refused); err != nil {
		return err
	}
	w.signals[n] = append(w.signals[n], time.Since(w.began).Truncate(time.Second))
	e := w.executions[n]
	e.Running = true
	w.executions[n] = e
	return nil
}

// reconciling runs a reconciler for a while, in a bubble of its own time.
func reconciling(t *testing.T, fill func(*reconcilerFixture), lasts time.Duration, check func(*reconcilerFixture)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		w := newReconcilerFixture()
		fill(w)
		r := dispatch.NewReconciler(w, w, func(context.Context) error { return nil }, none, "one", dispatch.ReconcilerOptions{}, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(lasts)
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("run: %v", err)
		}
		check(w)
	})
}

const failing ticket.Number = "HM-AAAAAAAAAA"

func TestReconciler_doesWhatHelps(t *testing.T) {
	running := dispatch.Execution{Running: true}
	for _, c := range []struct {
		name      string
		overdue   desk.Overdue
		execution dispatch.Execution
		found     desk.CheckResult
		signals   int
	}{
		{"missing and due", desk.Overdue{Due: true}, dispatch.Execution{}, desk.FoundRestarted, 1},
		{"missing and owing", desk.Overdue{Mails: 1}, dispatch.Execution{}, desk.FoundRestarted, 1},
		{"due and idle", desk.Overdue{Due: true}, running, desk.FoundRunning, 1},
		{"undecided and idle", desk.Overdue{Undecided: true}, running, desk.FoundRunning, 1},
		{"due, with a task that waits", desk.Overdue{Due: true}, dispatch.Execution{Running: true, Task: 1}, desk.FoundRunning, 0},
		{"due, with a step that is tried", desk.Overdue{Due: true}, dispatch.Execution{Running: true, Steps: 1}, desk.FoundRunning, 0},
		{"a mail is tried", desk.Overdue{Mails: 1}, dispatch.Execution{Running: true, Mails: 1}, desk.FoundTrying, 0},
		{"a call is tried", desk.Overdue{Calls: 1}, dispatch.Execution{Running: true, Calls: 1}, desk.FoundTrying, 0},
		{"a mail is not tried", desk.Overdue{Mails: 1}, running, desk.FoundRunning, 1},
		{"one of two mails is not tried", desk.Overdue{Mails: 2}, dispatch.Execution{Running: true, Mails: 1}, desk.FoundRunning, 1},
		{"a mail is tried and a call is not", desk.Overdue{Mails: 1, Calls: 1}, dispatch.Execution{Running: true, Mails: 1}, desk.FoundRunning, 1},
		{"some of very many mails are tried", desk.Overdue{Mails: 600, Owed: 600}, dispatch.Execution{Running: true, Mails: 500}, desk.FoundTrying, 0},
		{"none of very many mails is tried", desk.Overdue{Mails: 600, Owed: 600}, running, desk.FoundRunning, 1},
		{"due while some of very many are tried", desk.Overdue{Due: true, Mails: 600, Owed: 600}, dispatch.Execution{Running: true, Mails: 500}, desk.FoundRunning, 1},
		{"due while a mail is tried", desk.Overdue{Due: true, Mails: 1}, dispatch.Execution{Running: true, Mails: 1}, desk.FoundRunning, 1},
	} {
		c.overdue.Number = failing
		reconciling(t, func(w *reconcilerFixture) { w.add(c.overdue, c.execution) }, 10*time.Second, func(w *reconcilerFixture) {
			if w.found[failing] != c.found || len(w.signals[failing]) != c.signals {
				t.Errorf("%s: found %q, %d signals", c.name, w.found[failing], len(w.signals[failing]))
			}
		})
	}
}

func TestReconciler_backsOffFromTicketsThatStayStuck(t *testing.T) {
	reconciling(t, func(w *reconcilerFixture) {
		w.add(desk.Overdue{Number: failing, Due: true, Mark: "1"}, dispatch.Execution{Running: true})
	}, 5*time.Hour, func(w *reconcilerFixture) {
		var minutes []int
		for _, at := range w.signals[failing] {
			minutes = append(minutes, int((at + 10*time.Second).Minutes()))
		}
		if want := []int{0, 1, 3, 7, 15, 31, 63, 123, 183, 243}; !slices.Equal(minutes, want) {
			t.Errorf("asked after %v minutes, not %v", minutes, want)
		}
		if tries := w.overdue[failing].Tries; tries < desk.StuckAfter {
			t.Errorf("it counts as stuck after %d tries, and had %d", desk.StuckAfter, tries)
		}
	})
}

func TestReconciler_aTicketThatMovesIsAskedAnew(t *testing.T) {
	overdue := desk.Overdue{Number: failing, Due: true, Mark: "2", Seen: "1", Tries: 9}
	reconciling(t, func(w *reconcilerFixture) { w.add(overdue, dispatch.Execution{Running: true}) }, 10*time.Second, func(w *reconcilerFixture) {
		if tries := w.overdue[failing].Tries; tries != 1 {
			t.Errorf("%d tries", tries)
		}
	})
}

// Visibility lags: a workflow that it does not list may run, and is then left alone.
func TestReconciler_startsWhatIsLostBeforeAnythingIsDue(t *testing.T) {
	const tickets = 1200
	fill := func(w *reconcilerFixture) {
		for i := range tickets {
			n := ticket.Number(fmt.Sprintf("HM-%010d", i))
			w.started = append(w.started, n)
			w.executions[n] = dispatch.Execution{Running: i%100 != 7}
			w.unlisted[n] = i%100 == 8
		}
	}
	reconciling(t, fill, 30*time.Second, func(w *reconcilerFixture) {
		if len(w.signals) != tickets/100 || w.described != tickets/50 || w.audited != tickets {
			t.Errorf("%d started, %d described, %d audited", len(w.signals), w.described, w.audited)
		}
		for n := range w.signals {
			if n[len(n)-2:] != "07" {
				t.Errorf("%s was running", n)
			}
		}
	})
}

func TestReconciler_goesNoFasterThanItMay(t *testing.T) {
	fill := func(w *reconcilerFixture) {
		for i := range 2000 {
			w.add(desk.Overdue{Number: ticket.Number(fmt.Sprintf("HM-%010d", i)), Due: true}, dispatch.Execution{})
		}
	}
	reconciling(t, fill, 10*time.Second, func(w *reconcilerFixture) {
		if n := len(w.signals); n < 450 || n > 501 {
			t.Errorf("%d in ten seconds", n)
		}
	})
}

func TestReconciler_aTicketThatFailsDelaysNoOther(t *testing.T) {
	for name, failure := range map[string]error{
		"unavailable": fault.New(fault.Unavailable, "too late"),
		"refused":     errors.New("a defect"),
	} {
		fill := func(w *reconcilerFixture) {
			for i := range 300 {
				w.add(desk.Overdue{Number: ticket.Number(fmt.Sprintf("HM-%010d", i)), Due: true}, dispatch.Execution{})
			}
			w.fails = func(n ticket.Number) error {
				if n == "HM-0000000000" || n == "HM-0000000299" {
					return failure
				}
				return nil
			}
		}
		reconciling(t, fill, 30*time.Second, func(w *reconcilerFixture) {
			if len(w.signals) != 298 || w.rounds == 0 || w.audited != 300 {
				t.Errorf("%s: %d started, %d looks, %d audited", name, len(w.signals), w.rounds, w.audited)
			}
		})
	}
}

func TestReconciler_putsNothingOffWhileTemporalIsAway(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := newReconcilerFixture()
		for i := range 300 {
			w.add(desk.Overdue{Number: ticket.Number(fmt.Sprintf("HM-%010d", i)), Due: true}, dispatch.Execution{})
		}
		var away atomic.Bool
		away.Store(true)
		asked := 0
		w.fails = func(ticket.Number) error {
			if away.Load() {
				return fault.New(fault.Unavailable, "away")
			}
			return nil
		}
		namespace := func(context.Context) error {
			if asked++; away.Load() && asked%3 != 0 { // it goes away now and then in the middle of a look
				return fault.New(fault.Unavailable, "away")
			}
			return nil
		}
		r := dispatch.NewReconciler(w, w, namespace, none, "one", dispatch.ReconcilerOptions{}, quiet)
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error)
		go func() { ended <- r.Run(ctx) }()
		time.Sleep(time.Hour)
		if w.rounds > 0 {
			t.Error("a look in vain counts as one")
		}
		away.Store(false)
		time.Sleep(15 * time.Second)
		cancel()
		<-ended
		if len(w.signals) != 300 {
			t.Errorf("%d of 300 started within 15 seconds of Temporal's return", len(w.signals))
		}
	})
}

// none has no workflows to replace.
func none(context.Context) error { return nil }

func TestReconciler_anotherCauseIsTriedAnew(t *testing.T) {
	overdue := desk.Overdue{Number: failing, Due: true, Mails: 1, Mark: "1", Seen: "1", Was: desk.FoundTrying, Tries: 9}
	reconciling(t, func(w *reconcilerFixture) { w.add(overdue, dispatch.Execution{Running: true, Mails: 1}) }, 10*time.Second, func(w *reconcilerFixture) {
		if tries := w.overdue[failing].Tries; tries != 1 {
			t.Errorf("%d tries", tries)
		}
	})
}

// However often a ticket was checked, its pause does not grow when Temporal becomes unavailable within a page.
func TestReconciler_anOutageInTheMiddleOfAPagePutsLittleOff(t *testing.T) {
	fill := func(w *reconcilerFixture) {
		w.add(desk.Overdue{Number: "HM-0000000000", Due: true}, dispatch.Execution{Running: true})
		w.add(desk.Overdue{Number: failing, Due: true, Mark: "1", Seen: "1", Tries: 9}, dispatch.Execution{Running: true})
		w.fails = func(n ticket.Number) error {
			if n == failing && time.Since(w.began) < 10*time.Second {
				return fault.New(fault.Unavailable, "away")
			}
			return nil
		}
	}
	reconciling(t, fill, 2*time.Minute, func(w *reconcilerFixture) {
		if len(w.signals[failing]) == 0 {
			t.Error("it is not looked at again")
		}
	})
}

func TestReconciler_aWorkflowThatCannotBeStartedStaysMissing(t *testing.T) {
	fill := func(w *reconcilerFixture) {
		w.add(desk.Overdue{Number: failing, Due: true}, dispatch.Execution{})
		w.refused = errors.New("a defect")
	}
	reconciling(t, fill, 10*time.Second, func(w *reconcilerFixture) {
		if w.found[failing] != desk.FoundMissing || !w.next[failing].After(time.Now()) {
			t.Errorf("found %q, and looked at again at %v", w.found[failing], w.next[failing])
		}
	})
}

func TestReconciler_aSurveyNotesNothingAndFailsAtTheEnd(t *testing.T) {
	w := newReconcilerFixture()
	w.add(desk.Overdue{Number: failing}, dispatch.Execution{})
	w.add(desk.Overdue{Number: "HM-BBBBBBBBBB"}, dispatch.Execution{})
	w.fails = func(n ticket.Number) error {
		if n == failing {
			return errors.New("a defect")
		}
		return nil
	}
	r := dispatch.NewReconciler(w, w, none, none, "one", dispatch.ReconcilerOptions{}, quiet)
	lost, err := r.Survey(t.Context(), func(int) {})
	if len(lost) != 1 || err == nil || len(w.found) > 0 {
		t.Errorf("lost %v, %v; noted %v", lost, err, w.found)
	}
}

func TestReconciler_repairsAllAndEndsTheWorkflowsOfSettledTickets(t *testing.T) {
	const open, stale, ended ticket.Number = "HM-AAAAAAAAAA", "HM-BBBBBBBBBB", "HM-CCCCCCCCCC"
	w := newReconcilerFixture()
	w.add(desk.Overdue{Number: open}, dispatch.Execution{})
	w.settled = []ticket.Number{stale, ended}
	w.executions[stale] = dispatch.Execution{Running: true}
	r := dispatch.NewReconciler(w, w, none, none, "one", dispatch.ReconcilerOptions{}, quiet)
	repaired := 0
	if err := r.RepairAll(t.Context(), func(n int) { repaired = n }); err != nil {
		t.Fatal(err)
	}
	if repaired != 1 || len(w.signals[open]) != 1 || len(w.signals[stale]) != 1 || len(w.signals[ended]) != 0 {
		t.Errorf("repaired %d; signalled %v", repaired, w.signals)
	}
}
