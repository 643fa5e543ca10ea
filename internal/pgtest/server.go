package pgtest

import (
	"os"
	"sync"
	"testing"

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
	dir, err := os.MkdirTemp("", dirPattern) // t.TempDir may be inaccessible to the server's user
	if err != nil {
		t.Fatalf("make a directory for the cluster: %v", err)
	}
	s := &Server{t: t, dir: dir}
	t.Cleanup(func() {
		s.Stop() // a killed server leaves its shared memory
		if err := os.RemoveAll(dir); err != nil {
			t.Errorf("remove the cluster: %v", err)
		}
	})
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
