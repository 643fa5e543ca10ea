// Package temporaltest gives a test a Temporal server of its own: the real one, on a database that goes with the
// test, which the test may kill and restart. For tests only.
package temporaltest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// Server is a private server without a UI, with the namespace "default". Its methods may be called from several
// goroutines.
type Server struct {
	// HostPort is the frontend's gRPC address. It stays the same across restarts.
	HostPort string

	t      testing.TB
	binary string
	db     string

	mu  sync.Mutex
	run *local.Temporal
}

// Start starts a server that goes with the test. The program is the one that SUPPORTDESK_TEMPORAL_BIN names, else
// bin/supportdesk-temporal of this repository; without one the test fails.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, binary: binary(t), db: filepath.Join(t.TempDir(), "temporal.db")}
	var err error
	if s.run, err = s.start(0); err != nil {
		t.Fatalf("start Temporal: %v", err)
	}
	s.HostPort = s.run.HostPort
	t.Cleanup(s.Kill)
	return s
}

// Kill ends the server as kill -9 does. It does nothing to one that has ended.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run.Kill()
}

// Stop ends the server cleanly, which takes it about a second.
func (s *Server) Stop() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.run.Stop(); err != nil {
		s.t.Errorf("stop Temporal: %v", err)
	}
}

// Restart starts the server again, after Kill or Stop, on the same data and port, and returns when it answers.
func (s *Server) Restart() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	_, port, err := net.SplitHostPort(s.HostPort)
	if err != nil {
		s.t.Errorf("read %s: %v", s.HostPort, err)
		return
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		s.t.Errorf("read %s: %v", s.HostPort, err)
		return
	}
	run, err := s.start(number)
	if err != nil {
		s.t.Errorf("restart Temporal: %v", err)
		return
	}
	s.run = run
}

func (s *Server) start(port int) (*local.Temporal, error) {
	return local.StartTemporal(context.Background(), local.TemporalOptions{Binary: s.binary, DB: s.db, Port: port})
}

func binary(t testing.TB) string {
	t.Helper()
	path := os.Getenv("SUPPORTDESK_TEMPORAL_BIN")
	if path == "" {
		_, here, _, _ := runtime.Caller(0)
		path = filepath.Join(filepath.Dir(here), "..", "..", "bin", "supportdesk-temporal")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("there is no Temporal server at %s: run `make bin/supportdesk-temporal` first", path)
	}
	return path
}

// DB is the SQLite file that holds all that the server knows; more of it may be in the file's write-ahead log.
func (s *Server) DB() string { return s.db }
