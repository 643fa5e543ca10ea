package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	// A wait polls, in case the notification was lost or came before it, after firstPoll and then with doubled pauses of up to maxPoll.
	// While notifications come it begins with firstListeningPoll, since most polls would find that a step is still to be taken.
	firstPoll          = 25 * time.Millisecond
	firstListeningPoll = 100 * time.Millisecond
	maxPoll            = 400 * time.Millisecond
	// lastPoll bounds the query after a wait has ended.
	lastPoll = 500 * time.Millisecond
	// maxRecent is how many outcomes are kept for waits that begin after the notification has come.
	maxRecent = 1024
)

// Outcomes notifies any number of waiters of commands' outcomes, and subscribers of changes, over one connection that
// listens. Unless Run is running, a wait only polls.
type Outcomes struct {
	store *Store
	log   *slog.Logger

	listening atomic.Bool

	mu      sync.Mutex
	waiting map[string]map[chan struct{}]bool // by notice
	recent  map[string]ticket.Outcome         // by notice
	order   []string                          // notices of recent, oldest first

	subscribers map[*subscriber]bool
}

// NewOutcomes returns an Outcomes whose Run must be called once. It logs the beginning and the end of each outage.
func NewOutcomes(s *Store, log *slog.Logger) *Outcomes {
	return &Outcomes{store: s, log: log, waiting: map[string]map[chan struct{}]bool{}, recent: map[string]ticket.Outcome{}, subscribers: map[*subscriber]bool{}}
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
	o.listening.Store(true)
	defer o.listening.Store(false)
	o.wakeAll() // notifications sent before this are lost, so every waiter has to query
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		if n.Channel == changeChannel {
			o.publishChange(n.Payload)
		} else {
			o.publishOutcome(n.Payload)
		}
	}
}

// Await waits for a command's outcome and returns it. If ctx ends first, decided is false.
func (o *Outcomes) Await(ctx context.Context, n ticket.Number, seq int64) (answer ticket.Outcome, decided bool, err error) {
	key := notice(n, seq)
	woken, leave := o.register(key) // before anything else: an outcome decided in between wakes us
	defer leave()
	pause := firstPoll
	if o.listening.Load() {
		pause = firstListeningPoll
	}
	for ; ; pause = min(2*pause, maxPoll) {
		if answer, decided = o.known(key); decided {
			return answer, true, nil
		}
		timer := time.NewTimer(pause)
		polls := false
		select {
		case <-woken:
			if answer, decided = o.known(key); decided {
				timer.Stop()
				return answer, true, nil
			}
		case <-timer.C:
			polls = true
		case <-ctx.Done():
		}
		timer.Stop()
		if ctx.Err() != nil {
			return o.look(ctx, n, seq)
		}
		answer, decided, err = o.store.Outcome(ctx, n, seq)
		if decided && polls { // the notification of the change may be lost, too
			o.store.notifyChange(n, desk.ChangeStepped)
		}
		if decided || err != nil && ctx.Err() == nil {
			return answer, decided, err
		}
	}
}

// known returns the outcome of a command if a notification of it has come recently.
func (o *Outcomes) known(notice string) (ticket.Outcome, bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	answer, known := o.recent[notice]
	return answer, known
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

// publishOutcome keeps the outcome of a notification and wakes those who wait for it. From a notification without an outcome
// they learn that there is one.
func (o *Outcomes) publishOutcome(payload string) {
	notice, data, _ := strings.Cut(payload, " ")
	var answer ticket.Outcome
	complete := json.Unmarshal([]byte(data), &answer) == nil
	o.mu.Lock()
	defer o.mu.Unlock()
	if _, known := o.recent[notice]; complete && !known {
		o.recent[notice] = answer
		o.order = append(o.order, notice)
	}
	for len(o.order) > maxRecent {
		delete(o.recent, o.order[0])
		o.order = o.order[1:]
	}
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

// outcomeChannel is the channel on which the decisions of a step are announced, in the format of outcomeNotification.
const outcomeChannel = "outcome"

// changeChannel is the channel on which changes of what pages show are announced, in the format of changeNotification.
const changeChannel = "change"

func changeNotification(n ticket.Number, kind desk.ChangeKind) notification {
	return notification{changeChannel, string(n) + ":" + string(kind)}
}

// outcomeNotification carries the outcome itself, so that the process that waits for it need not query.
func outcomeNotification(n ticket.Number, seq int64, o ticket.Outcome) notification {
	outcome, err := json.Marshal(o)
	if err != nil || len(outcome) > maxPayload { // the outcome can be read with a query
		outcome = nil
	}
	return notification{outcomeChannel, strings.TrimSpace(notice(n, seq) + " " + string(outcome))}
}

// maxPayload bounds the bytes of an outcome in a notification, of which PostgreSQL allows 8,000.
const maxPayload = 4000

// notice identifies a command.
func notice(n ticket.Number, seq int64) string { return fmt.Sprintf("%s:%d", n, seq) }

// Outcome returns the outcome of a command. decided is false while no step has decided it.
func (s *Store) Outcome(ctx context.Context, n ticket.Number, seq int64) (o ticket.Outcome, decided bool, err error) {
	err = s.pool.QueryRow(ctx, `SELECT refused, code, reason FROM outcomes WHERE ticket = $1 AND seq = $2`, n, seq).
		Scan(&o.Refused, &o.Code, &o.Reason)
	decided, err = found(err)
	return o, decided, explain(err, "read the outcome of command %d of %s", seq, n)
}

// notifyChange notifies pages of a change after its commit. A lost notification delays a page's update until the next one.
func (s *Store) notifyChange(n ticket.Number, kind desk.ChangeKind) {
	s.notifier.send(changeNotification(n, kind))
}

// mostUnread is how many changes are buffered for a subscriber, and mostUnreadOfAll for one of the changes of all tickets. Beyond it
// they are replaced by the zero Change.
const (
	mostUnread      = 32
	mostUnreadOfAll = 1024
)

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
	room := mostUnread
	if number == "" {
		room = mostUnreadOfAll
	}
	s := &subscriber{number: number, changes: make(chan desk.Change, room)}
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
