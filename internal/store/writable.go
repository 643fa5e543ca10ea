package store

import (
	"context"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
)

// probeEvery is how long the answer of a write probe holds.
const probeEvery = 5 * time.Second

// probe remembers whether writes went on when that was last tried.
type probe struct {
	mu   sync.Mutex
	at   time.Time
	last error
}

// Writable reports whether PostgreSQL takes writes: it does not in a read-only transaction, on a standby and on a full disk.
// It writes a row and, since that needs no new space on the disk, a temporary file too; all in one message, so that a
// process which is frozen holds no lock. However often it is asked, it writes every few seconds at most.
func (s *Store) Writable(ctx context.Context) error {
	s.probe.mu.Lock()
	defer s.probe.mu.Unlock()
	if time.Since(s.probe.at) < probeEvery {
		return s.probe.last
	}
	batch := &pgx.Batch{}
	batch.Queue(`SELECT set_config('work_mem', '64kB', true)`)
	batch.Queue(`UPDATE write_probe SET written_at = clock_timestamp()`)
	batch.Queue(`SELECT count(*) FROM (SELECT n FROM generate_series(1, 10000) n ORDER BY n DESC OFFSET 0) sorted`)
	s.probe.last = explain(s.pool.SendBatch(ctx, batch).Close(), "try a write")
	s.probe.at = time.Now()
	return s.probe.last
}
