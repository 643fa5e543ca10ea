package store

import (
	"context"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	// idleTimeout is how long a transaction may be idle before PostgreSQL ends it and releases its locks, so that a process
	// that hangs blocks others for no longer. It is shorter than a request's time-out, so that a change of the emergency
	// schedule made meanwhile succeeds.
	idleTimeout = 4 * time.Second
	// peerTimeout is how long data may remain unacknowledged, in either direction, before the connection counts as dead.
	peerTimeout       = 5 * time.Second
	keepaliveIdle     = 2 * time.Second // before an idle connection is probed
	keepaliveInterval = time.Second     // between probes, until peerTimeout is over
)

// setTimeouts limits how long a process that hangs, or a host that is gone, holds connections and locks. Settings of the
// database's address take precedence. PostgreSQL ignores time-outs that its system doesn't support.
func setTimeouts(config *pgx.ConnConfig) {
	setTimeout(config, "idle_in_transaction_session_timeout", idleTimeout)
	setTimeout(config, "tcp_user_timeout", peerTimeout)
	setDefault(config, "tcp_keepalives_idle", strconv.Itoa(int(keepaliveIdle/time.Second)))
	setDefault(config, "tcp_keepalives_interval", strconv.Itoa(int(keepaliveInterval/time.Second)))
	setDefault(config, "tcp_keepalives_count", strconv.Itoa(keepaliveCount))
	dialer := &net.Dialer{
		Timeout:         config.ConnectTimeout,
		KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: keepaliveIdle, Interval: keepaliveInterval, Count: keepaliveCount},
		Control:         limitUnanswered,
	}
	config.DialFunc = dialer.DialContext
}

// limitLocks sets how long a statement of a session waits for a lock, unless that is 0 or the address sets it. It is no parameter of the
// connection, of which a connection pooler such as PgBouncer accepts only those that it was configured to.
func limitLocks(ctx context.Context, conn *pgx.Conn, most time.Duration) error {
	const name = "lock_timeout"
	if _, set := conn.Config().RuntimeParams[name]; set || most == 0 {
		return nil
	}
	_, err := conn.Exec(ctx, `SELECT set_config($1, $2, false)`, name, strconv.FormatInt(most.Milliseconds(), 10))
	return err
}

const keepaliveCount = int((peerTimeout - keepaliveIdle) / keepaliveInterval)

// setTimeout sets a time-out of the session, in milliseconds, unless the address sets it.
func setTimeout(config *pgx.ConnConfig, name string, t time.Duration) {
	setDefault(config, name, strconv.FormatInt(t.Milliseconds(), 10))
}

// setDefault sets a parameter of the session unless the address sets it.
func setDefault(config *pgx.ConnConfig, name, value string) {
	if _, known := config.RuntimeParams[name]; !known {
		config.RuntimeParams[name] = value
	}
}

const (
	probeEvery = 5 * time.Second // how long the result of a write probe is cached
	probeTime  = 2 * time.Second // timeout of a write probe
)

// probe caches the result of the last write probe.
type probe struct {
	mu    sync.Mutex
	at    time.Time
	last  error
	ended chan struct{} // closed when the running probe ends; nil if none runs
}

// Writable reports whether PostgreSQL accepts writes: it does not in a read-only transaction, on a standby or on a full
// disk. It probes every probeEvery at most. A cancelled caller stops waiting, but the probe goes on for the others.
func (s *Store) Writable(ctx context.Context) error {
	p := &s.probe
	p.mu.Lock()
	defer p.mu.Unlock()
	if time.Since(p.at) < probeEvery {
		return p.last
	}
	if p.ended == nil {
		p.ended = make(chan struct{})
		go s.tryWrite(context.WithoutCancel(ctx))
	}
	ended := p.ended
	p.mu.Unlock()
	var gone error
	select {
	case <-ended:
	case <-ctx.Done():
		gone = ctx.Err()
	}
	p.mu.Lock()
	if gone != nil {
		return explain(gone, "try a write")
	}
	return p.last
}

// tryWrite updates a row and, since that takes no new disk space, also writes a temporary file. All statements are sent
// in one message, so that a frozen process holds no lock. A timeout is returned to the waiting callers but not cached.
func (s *Store) tryWrite(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, probeTime)
	defer cancel()
	batch := &pgx.Batch{}
	batch.Queue(`SELECT set_config('work_mem', '64kB', true)`)
	batch.Queue(`UPDATE write_probe SET written_at = clock_timestamp()`)
	batch.Queue(`SELECT count(*) FROM (SELECT n FROM generate_series(1, 10000) n ORDER BY n DESC OFFSET 0) sorted`)
	err := explain(s.pool.SendBatch(ctx, batch).Close(), "try a write")
	p := &s.probe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last = err; err == nil || ctx.Err() == nil {
		p.at = time.Now()
	}
	close(p.ended)
	p.ended = nil
}
