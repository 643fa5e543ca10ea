package store_test

import (
	"context"
	"log/slog"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// listening returns an Outcomes that runs until the test ends.
func (d *fixture) listening() *store.Outcomes { return d.listeningTo(slog.New(slog.DiscardHandler)) }

func (d *fixture) listeningTo(log *slog.Logger) *store.Outcomes {
	o := store.NewOutcomes(d.Store, log)
	ctx, stop := context.WithCancel(context.Background())
	var running sync.WaitGroup
	running.Go(func() {
		if err := o.Run(ctx); err != nil {
			d.t.Error(err)
		}
	})
	d.t.Cleanup(func() { stop(); running.Wait() })
	return o
}

const listens = `SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outcome')`

func TestAwait_isWokenByTheStep(t *testing.T) {
	d := open(t)
	o := d.listening()
	d.waitFor(listens)
	n := d.taken(d.customer)
	a := d.ask(d.agent, desk.Request{Number: n, Verb: ticket.VerbReopen})
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	var all sync.WaitGroup
	for range 5 {
		all.Go(func() {
			answer, decided, err := o.Await(ctx, n, a.Seq)
			if !decided || err != nil || answer.Code != ticket.CodeStatus {
				t.Errorf("got %+v, %v, %v", answer, decided, err)
			}
		})
	}
	d.step(ticket.StepRequest{Number: n, Command: a.Seq})
	all.Wait()
	if ctx.Err() != nil {
		t.Error("no waiter was woken")
	}
}

func TestAwait_endsWithItsContext(t *testing.T) {
	d := open(t)
	o := d.listening()
	a := d.submit(d.customer)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, decided, err := o.Await(ctx, a.Number, 1); decided || err != nil {
		t.Errorf("decided %v, %v", decided, err)
	}
}

// TestAwait_missesNothingWithoutAListener decides a command while the connection that listens is broken.
func TestAwait_missesNothingWithoutAListener(t *testing.T) {
	d := open(t)
	o := d.listening()
	d.waitFor(listens)
	a := d.submit(d.customer)
	ctx, cancel := context.WithTimeout(t.Context(), slack)
	defer cancel()
	decided := make(chan bool, 1)
	go func() {
		_, ok, err := o.Await(ctx, a.Number, 1)
		if err != nil {
			t.Error(err)
		}
		decided <- ok
	}()
	d.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outcome'`)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	if !<-decided {
		t.Error("the decision was missed")
	}
}

// TestAwait_looksAgainWhenItsTimeIsUp finds outcomes decided while nothing listened.
func TestAwait_looksAgainWhenItsTimeIsUp(t *testing.T) {
	d := open(t)
	o := store.NewOutcomes(d.Store, slog.New(slog.DiscardHandler)) // Run is not called
	a := d.submit(d.customer)
	ctx := &ending{Context: t.Context(), done: make(chan struct{})}
	answered := make(chan bool, 1)
	go func() {
		_, decided, err := o.Await(ctx, a.Number, 1)
		if err != nil {
			t.Error(err)
		}
		answered <- decided
	}()
	d.waitFor(`SELECT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND state = 'idle' AND query LIKE 'SELECT refused%')`)
	d.step(ticket.StepRequest{Number: a.Number, Command: 1})
	close(ctx.done)
	if !<-answered {
		t.Error("the decision was missed")
	}
}

// ending is a context whose time is up when a test says so.
type ending struct {
	context.Context
	done chan struct{}
}

func (e *ending) Done() <-chan struct{} { return e.done }

func (e *ending) Err() error {
	select {
	case <-e.done:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// noted keeps the messages of a log.
type noted struct {
	slog.Handler
	mu       sync.Mutex
	messages []string
	came     chan struct{}
}

func (l *noted) Enabled(context.Context, slog.Level) bool { return true }

func (l *noted) Handle(_ context.Context, r slog.Record) error {
	l.mu.Lock()
	l.messages = append(l.messages, r.Level.String()+" "+r.Message)
	l.mu.Unlock()
	l.came <- struct{}{}
	return nil
}

// TestOutcomes_logAnOutageWhenItBeginsAndWhenItEnds, and not at each try in between.
func TestOutcomes_logAnOutageWhenItBeginsAndWhenItEnds(t *testing.T) {
	d := open(t)
	log := &noted{came: make(chan struct{}, 100)}
	d.listeningTo(slog.New(log))
	d.waitFor(listens)
	const allowed = `UPDATE pg_database SET datallowconn = $1 WHERE datname = current_database()`
	d.sql(allowed, false)
	d.sql(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND query = 'LISTEN outcome'`)
	d.soon(log.came)
	// Its next tries fail, too: the third begins 300 ms after the first at the earliest.
	d.sql(`SELECT pg_sleep(0.5)`)
	d.sql(allowed, true)
	d.soon(log.came)
	want := []string{"WARN not listening for outcomes; answers come late", "INFO listening for outcomes again"}
	if log.mu.Lock(); !slices.Equal(log.messages, want) {
		t.Errorf("logged %q, want %q", log.messages, want)
	}
	log.mu.Unlock()
}

func (d *fixture) soon(c <-chan struct{}) {
	d.t.Helper()
	select {
	case <-c:
	case <-time.After(slack):
		d.t.Fatal("nothing was logged")
	}
}
