package store

import (
	"context"
	"sync"
	"time"
)

// incomingNotifier notifies of incoming mails after they were stored, so that their senders do not wait for it. All mails
// that are stored during a notification, or shortly after it, share the next one: it costs as much as a mail's row, and
// notifications of one database are committed one after the other.
type incomingNotifier struct {
	mu      sync.Mutex
	running bool
	again   bool // a mail was stored while running
}

// notifyTimeout bounds a notification. The processor looks for mails by itself if it is lost.
const notifyTimeout = 10 * time.Second

// notifyPause is the pause after a notification.
const notifyPause = 10 * time.Millisecond

// notify starts a notification, or has the one that is running repeated.
func (n *incomingNotifier) notify(send func(context.Context)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.again = n.running; n.running {
		return
	}
	n.running = true
	go func() {
		for more := true; more; more = n.more() {
			ctx, cancel := context.WithTimeout(context.Background(), notifyTimeout)
			send(ctx)
			cancel()
			time.Sleep(notifyPause)
		}
	}()
}

// more reports whether another notification is due, and otherwise ends the run.
func (n *incomingNotifier) more() bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.running, n.again = n.again, false
	return n.running
}

// notifyIncoming notifies of incoming mails. A notification has nothing to store, so its commit does not wait for the disk.
func (s *Store) notifyIncoming(ctx context.Context) {
	_, _ = s.pool.Exec(ctx, `SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, '')`, incomingChannel)
}
