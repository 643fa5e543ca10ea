package pgtest

import (
	"context"
	"fmt"
	"os"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/holesalemart/supportdesk/internal/local"
)

// Server is a private cluster for tests of outages. Its methods are safe for concurrent use.
type Server struct {
	t   testing.TB
	dir string

	mu sync.Mutex
	pg *local.Postgres
}

// Cluster starts a private cluster that is removed when the test ends.
func Cluster(t testing.TB) *Server {
	t.Helper()
	dir, err := os.MkdirTemp(folder(), dirPattern) // t.TempDir may be inaccessible to the server's user
	if err != nil {
		t.Fatalf("make a directory for the cluster: %v", err)
	}
	t.Cleanup(func() {
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the cluster: %v", err)
		}
	})
	return ClusterIn(t, dir)
}

// ClusterIn starts a private cluster in a directory, which other users must be able to reach.
func ClusterIn(t testing.TB, dir string) *Server {
	t.Helper()
	s := &Server{t: t, dir: dir}
	t.Cleanup(s.Stop) // a killed server leaves its shared memory
	var err error
	if s.pg, err = start(dir, 0); err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return s
}

// Database returns an empty database. Its DSN stays valid across restarts.
func (s *Server) Database(t testing.TB) string {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	return fresh(t, s.pg, "template0")
}

// Kill sends SIGKILL and returns when all processes are gone.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pg.Kill()
}

// Stop shuts the server down cleanly. It does nothing if it has ended.
func (s *Server) Stop() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.pg == nil {
		return // it never started
	}
	if err := s.pg.Stop(); err != nil {
		s.t.Errorf("stop PostgreSQL: %v", err)
	}
}

// Freeze stops every process of the server with SIGSTOP. They continue when thaw is called, after which it does nothing.
func (s *Server) Freeze(ctx context.Context) (thaw func(), err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	conn, err := pgx.Connect(ctx, s.pg.SuperuserDSN("postgres"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	stopped := []int{s.pg.PID()} // first, so that it starts no others
	_ = syscall.Kill(stopped[0], syscall.SIGSTOP)
	thaw = sync.OnceFunc(func() {
		for _, pid := range stopped {
			_ = syscall.Kill(pid, syscall.SIGCONT) // one that has ended meanwhile is as good
		}
	})
	rows, _ := conn.Query(ctx, `SELECT pid FROM pg_stat_activity WHERE pid <> pg_backend_pid()`)
	others, err := pgx.CollectRows(rows, pgx.RowTo[int])
	if err != nil {
		thaw()
		return nil, err
	}
	for _, pid := range others {
		_ = syscall.Kill(pid, syscall.SIGSTOP)
	}
	stopped = append(stopped, others...)
	return thaw, nil
}

// Recover returns when the server accepts connections. If it has ended by itself, as after its disk was full, it is started again.
func (s *Server) Recover(ctx context.Context) error {
	for {
		s.mu.Lock()
		pg := s.pg
		s.mu.Unlock()
		select {
		case <-pg.Done():
			s.Restart() //nolint:contextcheck // the server outlives the wait
		default:
		}
		conn, err := pgx.Connect(ctx, pg.SuperuserDSN("postgres"))
		if err == nil {
			return conn.Close(ctx)
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for PostgreSQL: %w", err)
		}
		time.Sleep(50 * time.Millisecond) // between looks, not instead of one
	}
}

// Restart starts the server again after Kill or Stop, with the same data and port, and returns when it accepts
// connections.
func (s *Server) Restart() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	pg, err := start(s.dir, s.pg.Port())
	if err != nil {
		s.t.Errorf("restart PostgreSQL: %v", err)
		return
	}
	s.pg = pg
}
