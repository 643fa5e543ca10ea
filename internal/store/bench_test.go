package store_test

import (
	"os"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/holesalemart/supportdesk/internal/local"
	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/store"
)

// durable is a database that flushes every commit to the disk, as in production.
func durable(b *testing.B) string {
	b.Helper()
	dir, err := os.MkdirTemp("", "supportdesk-bench-*") // b.TempDir may lie where the server's user can't go
	if err != nil {
		b.Fatal(err)
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		b.Fatal(err)
	}
	pg, err := local.StartPostgres(b.Context(), local.PostgresOptions{Dir: dir})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := pg.Stop(); err != nil {
			b.Error(err)
		}
		if err := os.RemoveAll(dir); err != nil {
			b.Error(err)
		}
	})
	dsn := pg.DSN("postgres")
	if err := store.Migrate(b.Context(), dsn); err != nil {
		b.Fatal(err)
	}
	return dsn
}

// BenchmarkSubmit accepts tickets from 32 clients at once, beside what this machine can do at best: a bare insert of
// one row, flushed as durably.
func BenchmarkSubmit(b *testing.B) {
	d := staffed(b, durable(b), string(policy.Holesalemart()))
	pool, err := pgxpool.New(b.Context(), d.dsn+"&pool_max_conns=16")
	if err != nil {
		b.Fatal(err)
	}
	defer pool.Close()
	if _, err := pool.Exec(b.Context(), `CREATE TABLE bare (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body text)`); err != nil {
		b.Fatal(err)
	}
	b.Run("bare", func(b *testing.B) {
		parallel(b, func() error {
			_, err := pool.Exec(b.Context(), `INSERT INTO bare (body) VALUES ($1)`, submission().Body)
			return err
		})
	})
	b.Run("ticket", func(b *testing.B) {
		parallel(b, func() error {
			_, err := d.Submit(b.Context(), d.customer, submission())
			return err
		})
	})
}

// parallel runs do from 32 goroutines, whatever the number of processors.
func parallel(b *testing.B, do func() error) {
	const clients = 32
	work := make(chan struct{})
	failed := make(chan error, clients)
	for range clients {
		go func() {
			var first error
			for range work {
				if err := do(); err != nil && first == nil {
					first = err
				}
			}
			failed <- first
		}()
	}
	b.ResetTimer()
	start := time.Now()
	for range b.N {
		work <- struct{}{}
	}
	close(work)
	for range clients {
		if err := <-failed; err != nil {
			b.Error(err)
		}
	}
	b.ReportMetric(float64(b.N)/time.Since(start).Seconds(), "op/s")
}
