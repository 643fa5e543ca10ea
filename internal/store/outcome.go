package store

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

// lastPoll bounds the query after a wait has ended, which finds outcomes decided while the connection was down.
const lastPoll = 500 * time.Millisecond

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
			o.publishChange(n.Payload)
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
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), lastPoll)
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

// outcomeChannel is the channel on which the commit of a step announces its decisions, in the format of notice.
const outcomeChannel = "outcome"

// changeChannel is the channel on which changes of what pages show are announced, in the format of changed.
const changeChannel = "change"

func changed(n ticket.Number, kind desk.ChangeKind) string { return fmt.Sprintf("%s:%s", n, kind) }

func notice(n ticket.Number, seq int64) string { return fmt.Sprintf("%s:%d", n, seq) }

// Outcome returns the outcome of a command. decided is false while no step has decided it.
func (s *Store) Outcome(ctx context.Context, n ticket.Number, seq int64) (o ticket.Outcome, decided bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT refused, code, reason FROM outcomes WHERE ticket = $1 AND seq = $2`, n, seq).
		Scan(&o.Refused, &o.Code, &o.Reason)
	decided, err = found(err)
	return o, decided, explain(err, "read the outcome of command %d of %s", seq, n)
}

// notifyChange notifies pages of a change after its commit. A notification inside the commit would make commits wait for
// each other's flush, since PostgreSQL holds one lock for all notifications; this transaction writes nothing that is
// flushed. Errors are ignored: a lost notification only delays a page's update until the next one.
func (s *Store) notifyChange(ctx context.Context, n ticket.Number, kind desk.ChangeKind) {
	_, _ = s.pool.Exec(ctx, `SELECT pg_notify($1, $2)`, changeChannel, changed(n, kind))
}

// mostUnread is how many changes are buffered for a subscriber. Beyond it they are replaced by the zero Change.
const mostUnread = 32

// subscriber receives the changes of one ticket, or of all.
type subscriber struct {
	number  ticket.Number // empty for all tickets
	changes chan desk.Change
}

// Subscribe returns a channel of changes of a ticket, or of all tickets if number is empty, until leave is called.
// Senders never wait: changes that are not received in time are replaced by the zero Change, which stands for a change
// of anything. Every subscriber receives it after an outage of the connection, too. A caller that subscribes first and
// then reads the current state misses no change.
func (o *Outcomes) Subscribe(number ticket.Number) (changes <-chan desk.Change, leave func()) {
	s := &subscriber{number: number, changes: make(chan desk.Change, mostUnread)}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.subscribers[s] = true
	return s.changes, func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.subscribers, s)
	}
}

// publishChange sends a notification to subscribers. One that can't be parsed becomes the zero Change.
func (o *Outcomes) publishChange(notice string) {
	number, kind, _ := strings.Cut(notice, ":")
	c := desk.Change{Number: ticket.Number(number), Kind: desk.ChangeKind(kind)}
	if kind == "" {
		c = desk.Change{}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	for s := range o.subscribers {
		if s.number == "" || c.Number == "" || s.number == c.Number {
			s.send(c)
		}
	}
}

// send never blocks. Only one goroutine sends at a time, so there is room in the channel after it is drained.
func (s *subscriber) send(c desk.Change) {
	select {
	case s.changes <- c:
		return
	default:
	}
	for {
		select {
		case <-s.changes:
		default:
			s.changes <- desk.Change{}
			return
		}
	}
}
