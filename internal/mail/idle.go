package mail

import (
	"slices"
	"sync"
	"time"
)

const (
	idleTime = 20 * time.Second // less than the patience of any common server
	idleMax  = 4                // connections
)

// idle keeps connections for the next mail, for a short while.
type idle struct {
	mu     sync.Mutex
	kept   []*resting // the longest idle first
	leaves sync.WaitGroup
	closed bool
}

type resting struct {
	*connection
	expiry *time.Timer
}

// take gives the connection that was used last, or nil.
func (i *idle) take() *connection {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.kept) == 0 {
		return nil
	}
	last := i.kept[len(i.kept)-1]
	i.kept = i.kept[:len(i.kept)-1]
	last.expiry.Stop()
	return last.connection
}

// keep puts a connection that works aside, or takes leave of it when there are enough.
func (i *idle) keep(c *connection) {
	i.mu.Lock()
	full := i.closed || len(i.kept) >= idleMax
	if !full {
		r := &resting{connection: c}
		r.expiry = time.AfterFunc(idleTime, func() { i.expire(r) })
		i.kept = append(i.kept, r)
	}
	i.mu.Unlock()
	if full {
		c.quit()
	}
}

// expire lets a connection go, unless somebody took it while its timer fired.
func (i *idle) expire(r *resting) {
	i.mu.Lock()
	at := slices.Index(i.kept, r)
	if at < 0 {
		i.mu.Unlock()
		return
	}
	i.kept = slices.Delete(i.kept, at, at+1)
	i.leaves.Add(1)
	i.mu.Unlock()
	defer i.leaves.Done()
	r.quit()
}

// close takes leave of every connection, and of those that are given back later.
func (i *idle) close() {
	i.mu.Lock()
	i.closed = true
	kept := i.kept
	i.kept = nil
	i.mu.Unlock()
	for _, r := range kept {
		r.expiry.Stop()
		r.quit()
	}
	i.leaves.Wait()
}
