package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/loop"
)

// notification is sent to the processes that listen on a channel of PostgreSQL.
type notification struct{ channel, payload string }

// notifier sends notifications after the commits that they are about, and no caller waits for it. A notification inside a
// commit would make commits wait for each other's flush, since PostgreSQL holds one lock for all notifications; one that is
// sent alone has nothing to flush. Those that come while others are being sent share the next statement. A process that
// dies between a commit and its notification loses the notification, so everything that waits for one also polls.
type notifier struct {
	pool *pgxpool.Pool

	mu      sync.Mutex
	waiting []notification
	known   map[notification]bool // those that wait

	wake  chan struct{}
	end   func()        // has run send what waits, and return
	ended chan struct{} // closed when it has
}

const (
	// notifyTimeout bounds a statement. What can't be sent in time is lost.
	notifyTimeout = 10 * time.Second
	// notifyPause is the pause between two statements, in which notifications gather.
	notifyPause = 2 * time.Millisecond
	// maxNotifications is how many notifications wait, while PostgreSQL is unavailable. More are lost.
	maxNotifications = 10_000
)

// newNotifier returns a notifier that runs until close is called.
func newNotifier(pool *pgxpool.Pool) *notifier {
	ctx, end := context.WithCancel(context.Background())
	n := &notifier{pool: pool, known: map[notification]bool{}, wake: make(chan struct{}, 1), end: end, ended: make(chan struct{})}
	go n.run(ctx)
	return n
}

// close sends what waits and ends the run.
func (n *notifier) close() {
	n.end()
	<-n.ended
}

// send sends notifications, each once if it waits already. It never blocks.
func (n *notifier) send(all ...notification) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, one := range all {
		if !n.known[one] && len(n.waiting) < maxNotifications {
			n.known[one] = true
			n.waiting = append(n.waiting, one)
		}
	}
	wakeOne(n.wake)
}

// run sends what waits until ctx ends.
func (n *notifier) run(ctx context.Context) {
	defer close(n.ended)
	for ended := false; !ended; {
		select {
		case <-n.wake:
		case <-ctx.Done():
			ended = true // after what waits is sent
		}
		if all := n.next(); len(all) > 0 {
			n.exec(context.WithoutCancel(ctx), all)
			loop.Sleep(ctx, notifyPause)
		}
	}
}

// next removes and returns what waits.
func (n *notifier) next() []notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.waiting
	n.waiting = nil
	clear(n.known)
	return all
}

const notifyStatement = `SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS n (channel, payload)`

// exec sends notifications in one statement. Its error is ignored, since whoever misses a notification polls.
func (n *notifier) exec(ctx context.Context, all []notification) {
	ctx, cancel := context.WithTimeout(ctx, notifyTimeout)
	defer cancel()
	channels, payloads := make([]string, len(all)), make([]string, len(all))
	for i, one := range all {
		channels[i], payloads[i] = one.channel, one.payload
	}
	_, _ = n.pool.Exec(ctx, notifyStatement, channels, payloads)
}
