package store

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// lastLook bounds the query after a wait has ended, which finds outcomes decided while the connection was down.
const lastLook = 500 * time.Millisecond

// Outcomes notifies any number of waiters of commands' outcomes, and subscribers of changes, over one connection that
// listens. Unless Run is running, a wait ends with its context.
type Outcomes struct {
	store *Store
	log   *slog.Logger

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by notice

	subscribers map[*subscriber]bool
}

// NewOutcomes returns an Outcomes whose Run must be called once. It logs the beginning and the end of each outage.
func NewOutcomes(s *Store, log *slog.Logger) *Outcomes {
	return &Outcomes{store: s, log: log, waiting: map[string]map[chan struct{}]bool{}, subscribers: map[*subscriber]bool{}}
}

// Run listens until ctx ends, and reconnects as necessary. It always returns nil.
func (o *Outcomes) Run(ctx context.Context) error {
	outage := loop.NewOutage(loop.Options{
		First: 100 * time.Millisecond, Max: 5 * time.Second, Log: o.log,
		Failing: "not listening for outcomes; answers come late", Recovered: "listening for outcomes again",
	})
	for {
		err := o.listen(ctx, outage.Recovered)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to end
		}
		loop.Sleep(ctx, outage.Failed(err))
	}
}

// listen passes notifications on until the connection breaks, and returns the reason. It calls ready once it listens.
func (o *Outcomes) listen(ctx context.Context, ready func()) error {
	conn, err := pgx.ConnectConfig(ctx, o.store.pool.Config().ConnConfig)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	for _, channel := range []string{changeChannel, outcomeChannel} {
		if _, err := conn.Exec(ctx, `LISTEN `+channel); err != nil {
			return err
		}
	}
	ready()
	o.wakeAll() // notifications sent before this are lost, so every waiter has to query
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Channel == changeChannel {
			o.announce(n.Payload)
		} else {
			o.wake(n.Payload)
		}
	}
}

// Await waits for a command's outcome and returns it. If ctx ends first, decided is false.
func (o *Outcomes) Await(ctx context.Context, n ticket.Number, seq int64) (answer ticket.Outcome, decided bool, err error) {
	woken, leave := o.register(notice(n, seq)) // before the query: an outcome decided in between wakes us
	defer leave()
	for {
		answer, decided, err = o.store.Outcome(ctx, n, seq)
		switch {
		case decided || err != nil && ctx.Err() == nil:
			return answer, decided, err
		case err == nil:
			select {
			case <-woken:
				continue
			case <-ctx.Done():
			}
		}
		return o.look(ctx, n, seq)
	}
}

// look queries the outcome a last time after the wait, unless the caller has cancelled it.
func (o *Outcomes) look(ctx context.Context, n ticket.Number, seq int64) (ticket.Outcome, bool, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ticket.Outcome{}, false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	return o.store.Outcome(ctx, n, seq)
}

// register returns a channel that receives when a notice comes, and a function that removes it.
func (o *Outcomes) register(notice string) (woken <-chan struct{}, leave func()) {
	o.mu.Lock()
	defer o.mu.Unlock()
	c := make(chan struct{}, 1)
	if o.waiting[notice] == nil {
		o.waiting[notice] = map[chan struct{}]bool{}
	}
	o.waiting[notice][c] = true
	return c, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.waiting[notice], c)
		if len(o.waiting[notice]) == 0 {
			delete(o.waiting, notice)
		}
	}
}

// wake wakes those who wait for a notice.
func (o *Outcomes) wake(notice string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.waiting[notice] {
		wakeOne(c)
	}
}

// wakeAll wakes all waiters and tells all subscribers that anything may have changed.
func (o *Outcomes) wakeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, waiters := range o.waiting {
		for c := range waiters {
			wakeOne(c)
		}
	}
	for s := range o.subscribers {
		s.send(desk.Change{})
	}
}

func wakeOne(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // a wake-up is pending already
	}
}
