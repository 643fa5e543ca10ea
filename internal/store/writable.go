package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

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
