package mail

import (
	"slices"
	"sync"
	"time"
)

const (
	idleTime = 20 * time.Second // shorter than the idle time-out of common servers
	idleMax  = 4                // connections
)

// idle is a pool of open connections, each kept for idleTime after its last mail.
type idle struct {
	mu          sync.Mutex
	connections []*idleConnection // the longest idle first
	quitting    sync.WaitGroup
	closed      bool
}

type idleConnection struct {
	*connection
	expiry *time.Timer
}

// get removes and returns the most recently used connection, or returns nil.
func (i *idle) get() *connection {
	i.mu.Lock()
	defer i.mu.Unlock()
	if len(i.connections) == 0 {
		return nil
	}
	last := i.connections[len(i.connections)-1]
	i.connections = i.connections[:len(i.connections)-1]
	last.expiry.Stop()
	return last.connection
}

// put adds a working connection to the pool, or closes it if the pool is full or closed.
func (i *idle) put(c *connection) {
	i.mu.Lock()
	full := i.closed || len(i.connections) >= idleMax
	if !full {
		r := &idleConnection{connection: c}
		r.expiry = time.AfterFunc(idleTime, func() { i.expire(r) })
		i.connections = append(i.connections, r)
	}
	i.mu.Unlock()
	if full {
		c.quit()
	}
}

// expire closes a connection, unless it was removed while its timer fired.
func (i *idle) expire(r *idleConnection) {
	i.mu.Lock()
	at := slices.Index(i.connections, r)
	if at < 0 {
		i.mu.Unlock()
		return
	}
	i.connections = slices.Delete(i.connections, at, at+1)
	i.quitting.Add(1)
	i.mu.Unlock()
	defer i.quitting.Done()
	r.quit()
}

// close closes all connections, and makes put close those in use.
func (i *idle) close() {
	i.mu.Lock()
	i.closed = true
	kept := i.connections
	i.connections = nil
	i.mu.Unlock()
	for _, r := range kept {
		r.expiry.Stop()
		r.quit()
	}
	i.quitting.Wait()
}
