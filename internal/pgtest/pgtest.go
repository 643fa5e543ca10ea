// Package pgtest provides PostgreSQL databases for tests: an empty one or a clone of a migrated template for each test,
// on a cluster shared by the test process, and private clusters that a test may kill and restart. For tests only.
package pgtest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"github.com/holesalemart/supportdesk/internal/local"
)

const (
	dirPattern   = "supportdesk-pgtest-*"
	startTimeout = 3 * time.Minute // includes downloading PostgreSQL on a new machine
)

// shared is the process's cluster. It is never stopped: the kernel ends it with the process, and the next process to
// start one removes its directory.
var shared = sync.OnceValues(func() (*local.Postgres, error) {
	sweep()
	dir, err := os.MkdirTemp(folder(), dirPattern)
	if err != nil {
		return nil, fmt.Errorf("make a directory for the test cluster: %w", err)
	}
	return start(dir, 0)
})

var databases atomic.Int64

// DSN returns an empty database that is dropped when the test ends.
func DSN(t testing.TB) string {
	t.Helper()
	return fresh(t, cluster(t), "template0")
}

// Template returns a clone of a database that migrate has filled, once for each name and process. The clone is dropped
// when the test ends. migrate is called with the DSN of an empty database and must close its connections before it
// returns.
func Template(t testing.TB, name string, migrate func(ctx context.Context, dsn string) error) string {
	t.Helper()
	pg := cluster(t)
	made, _ := templates.LoadOrStore(name, &template{})
	if err := made.(*template).make(t.Context(), pg, name, migrate); err != nil {
		t.Fatalf("make the template %s: %v", name, err)
	}
	return fresh(t, pg, templateName(name))
}

var templates sync.Map // name to *template

type template struct {
	once sync.Once
	err  error
}

func templateName(name string) string { return "template_" + name }

func (m *template) make(ctx context.Context, pg *local.Postgres, name string, migrate func(context.Context, string) error) error {
	m.once.Do(func() {
		ctx := context.WithoutCancel(ctx) // other tests wait for it, too
		if m.err = clone(ctx, pg, templateName(name), "template0"); m.err == nil {
			m.err = migrate(ctx, pg.SuperuserDSN(templateName(name)))
		}
	})
	return m.err
}

// inMemory is where Linux has a file system in memory. A clone of a template is a thousand small files, which cost a fifth of
// a fixture's processor time when they are on a disk.
const inMemory = "/dev/shm"

// memoryNeeded is more than the clusters of two packages need. Containers often have only 64 MB.
const memoryNeeded = 4 << 30

// folder returns the directory that contains the clusters: in memory, if there is room, or else that of temporary files.
func folder() string {
	var stat syscall.Statfs_t
	if syscall.Statfs(inMemory, &stat) == nil && stat.Bavail*uint64(stat.Bsize) >= memoryNeeded {
		return inMemory
	}
	return os.TempDir()
}

func cluster(t testing.TB) *local.Postgres {
	t.Helper()
	pg, err := shared()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return pg
}

func start(dir string, port int) (*local.Postgres, error) {
	if err := os.Chmod(dir, 0o755); err != nil { // the server may run as another user
		return nil, fmt.Errorf("open the directory of the test cluster: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	return local.StartPostgres(ctx, local.PostgresOptions{Dir: dir, Port: port, NoSync: true})
}

// fresh clones a template and drops the clone, with any connections, when the test ends.
func fresh(t testing.TB, pg *local.Postgres, from string) string {
	t.Helper()
	name := fmt.Sprintf("test_%d", databases.Add(1))
	if err := clone(t.Context(), pg, name, from); err != nil {
		t.Fatalf("make a database from %s: %v", from, err)
	}
	t.Cleanup(func() {
		select {
		case <-pg.Done(): // the test ended its server
			return
		default:
		}
		if err := execute(context.Background(), pg, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)"); err != nil {
			t.Errorf("drop %s: %v", name, err)
		}
	})
	return pg.SuperuserDSN(name)
}

// clone copies files, which is faster than WAL on a cluster without fsync. A template is busy until its last connection
// is closed.
func clone(ctx context.Context, pg *local.Postgres, name, from string) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	statement := fmt.Sprintf("CREATE DATABASE %s TEMPLATE %s STRATEGY file_copy",
		pgx.Identifier{name}.Sanitize(), pgx.Identifier{from}.Sanitize())
	const objectInUse = "55006"
	for {
		err := execute(ctx, pg, statement)
		if busy, ok := errors.AsType[*pgconn.PgError](err); !ok || busy.Code != objectInUse {
			return err
		}
	}
}

func execute(ctx context.Context, pg *local.Postgres, statement string) error {
	conn, err := pgx.Connect(ctx, pg.SuperuserDSN("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the test cluster: %w", err)
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// sweep removes the clusters of test processes that have ended and so hold no lock. New directories, which may not be
// locked yet, are kept.
func sweep() {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), dirPattern)) // the pattern is well formed
	kept, _ := filepath.Glob(filepath.Join(inMemory, dirPattern))
	for _, dir := range append(dirs, kept...) {
		info, err := os.Stat(dir)
		if err != nil || time.Since(info.ModTime()) < time.Minute {
			continue
		}
		lock, err := os.OpenFile(filepath.Join(dir, "lock"), os.O_RDWR, 0)
		if err != nil {
			continue
		}
		if syscall.Flock(int(lock.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
			_ = os.RemoveAll(dir) // fails for other users'
		}
		_ = lock.Close()
	}
}
