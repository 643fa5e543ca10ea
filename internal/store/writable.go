package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

const (
	probeEvery = 5 * time.Second // how long the answer of a write probe holds
	probeTime  = 2 * time.Second // how long one may take
)

// probe remembers whether writes went on when that was last tried.
type probe struct {
	mu    sync.Mutex
	at    time.Time
	last  error
	ended chan struct{} // closed when the probe under way ends; nil: none is
}

// Writable reports whether PostgreSQL takes writes: it does not in a read-only transaction, on a standby and on a full disk.
// However often it is asked, it writes every few seconds at most. A caller that goes away ends its own waiting and not the
// probe, whose answer is everybody's.
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

// tryWrite writes a row and, since that needs no new space on the disk, a temporary file too; all in one message, so that a
// process which is frozen holds no lock. That it took too long holds for those who wait now, and the next caller tries again.
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
