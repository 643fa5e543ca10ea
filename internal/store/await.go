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

// lastLook bounds looking once more when the wait has ended: for what was decided while nobody listened.
const lastLook = 500 * time.Millisecond

// Outcomes lets many wait for decisions and hear of changes over one connection that listens. Without Run, waiting
// ends with its context.
type Outcomes struct {
	store *Store
	log   *slog.Logger

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by notice

	subscribers map[*subscriber]bool
}

// NewOutcomes makes a place to wait on; Run it once. The log hears of each outage when it begins and when it ends.
func NewOutcomes(s *Store, log *slog.Logger) *Outcomes {
	return &Outcomes{store: s, log: log, waiting: map[string]map[chan struct{}]bool{}, subscribers: map[*subscriber]bool{}}
}

// Run listens until ctx ends, and reconnects whenever it has to. Its error is always nil.
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

// listen wakes whom a notice names until the connection breaks, and says why it did. It calls ready once it listens.
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
	o.wakeAll() // notices that came while nobody listened are lost, so everybody looks for themselves
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

// Await gives the desk's answer to a command, as soon as there is one. When ctx ends before, decided is false.
func (o *Outcomes) Await(ctx context.Context, n ticket.Number, seq int64) (answer ticket.Outcome, decided bool, err error) {
	woken, leave := o.join(notice(n, seq)) // before looking: a decision made in between wakes us
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

// look asks a last time after the wait, unless nobody is there any more to hear the answer.
func (o *Outcomes) look(ctx context.Context, n ticket.Number, seq int64) (ticket.Outcome, bool, error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return ticket.Outcome{}, false, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastLook)
	defer cancel()
	return o.store.Outcome(ctx, n, seq)
}

// join gives a channel that is told of a notice, and what takes it away again.
func (o *Outcomes) join(notice string) (woken <-chan struct{}, leave func()) {
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

func (o *Outcomes) wake(notice string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for c := range o.waiting[notice] {
		tell(c)
	}
}

func (o *Outcomes) wakeAll() {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, waiters := range o.waiting {
		for c := range waiters {
			tell(c)
		}
	}
	for s := range o.subscribers {
		s.send(desk.Change{})
	}
}

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it has been told
	}
}
