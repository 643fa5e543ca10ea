package store_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/store"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// listening gives outcomes that run until the test ends.
func (d *shop) listening() *store.Outcomes {
	o := store.NewOutcomes(d.Store)
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
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
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
		t.Error("nobody was woken")
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

// TestAwait_missesNothingWhileNobodyListens decides a command while the connection that listens is broken.
func TestAwait_missesNothingWhileNobodyListens(t *testing.T) {
	d := open(t)
	o := d.listening()
	d.waitFor(listens)
	a := d.submit(d.customer)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
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
