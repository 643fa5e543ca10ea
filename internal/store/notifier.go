package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
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
	running bool
}

const (
	// notifyTimeout bounds a statement. What can't be sent in time is lost.
	notifyTimeout = 10 * time.Second
	// notifyPause is the pause between two statements, in which notifications gather.
	notifyPause = 2 * time.Millisecond
	// maxNotifications is how many notifications wait, while PostgreSQL is unavailable. More are lost.
	maxNotifications = 10_000
)

func newNotifier(pool *pgxpool.Pool) *notifier {
	return &notifier{pool: pool, known: map[notification]bool{}}
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
	if !n.running && len(n.waiting) > 0 {
		n.running = true
		go n.run()
	}
}

// run sends until nothing waits.
func (n *notifier) run() {
	for all := n.next(); len(all) > 0; all = n.next() {
		n.exec(all)
		time.Sleep(notifyPause)
	}
}

// next removes and returns what waits. If that is nothing, the run ends.
func (n *notifier) next() []notification {
	n.mu.Lock()
	defer n.mu.Unlock()
	all := n.waiting
	n.waiting = nil
	clear(n.known)
	n.running = len(all) > 0
	return all
}

// exec sends notifications in one statement. Its error is ignored, since whoever misses a notification polls.
func (n *notifier) exec(all []notification) {
	ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
	defer cancel()
	channels, payloads := make([]string, len(all)), make([]string, len(all))
	for i, one := range all {
		channels[i], payloads[i] = one.channel, one.payload
	}
	_, _ = n.pool.Exec(ctx, `SELECT pg_notify(channel, payload) FROM unnest($1::text[], $2::text[]) AS n (channel, payload)`, channels, payloads)
}
