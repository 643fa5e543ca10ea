package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Pauses between tries to listen while the database is away.
const (
	firstPause = 100 * time.Millisecond
	maxPause   = 5 * time.Second
)

// Outcomes lets many wait for decisions over one connection that listens. Without Run, waiting ends with its context.
type Outcomes struct {
	store *Store

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by notice
}

// NewOutcomes makes a place to wait on; Run it once.
func NewOutcomes(s *Store) *Outcomes {
	return &Outcomes{store: s, waiting: map[string]map[chan struct{}]bool{}}
}

// Run listens until ctx ends, and reconnects whenever it has to. Its error is always nil.
func (o *Outcomes) Run(ctx context.Context) error {
	for pause := firstPause; ctx.Err() == nil; pause = min(2*pause, maxPause) {
		if o.listen(ctx) {
			pause = firstPause
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return nil
}

// listen wakes whom a notice names until the connection breaks. It reports whether it ever listened.
func (o *Outcomes) listen(ctx context.Context) bool {
	conn, err := pgx.ConnectConfig(ctx, o.store.pool.Config().ConnConfig)
	if err != nil {
		return false
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	if _, err := conn.Exec(ctx, `LISTEN `+outcomeChannel); err != nil {
		return false
	}
	o.wakeAll() // notices that came while nobody listened are lost, so everybody looks for themselves
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return true
		}
		o.wake(n.Payload)
	}
}

// Await gives the desk's answer to a command, as soon as there is one. When ctx ends before, decided is false.
func (o *Outcomes) Await(ctx context.Context, n ticket.Number, seq int64) (answer ticket.Outcome, decided bool, err error) {
	woken, leave := o.join(notice(n, seq)) // before looking: a decision made in between wakes us
	defer leave()
	for {
		answer, decided, err = o.store.Outcome(ctx, n, seq)
		if ctx.Err() != nil && !decided {
			return ticket.Outcome{}, false, nil
		}
		if err != nil || decided {
			return answer, decided, err
		}
		select {
		case <-ctx.Done():
			return ticket.Outcome{}, false, nil
		case <-woken:
		}
	}
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
}

func tell(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default: // it has been told
	}
}
