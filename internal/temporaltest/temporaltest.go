// Package temporaltest starts a Temporal server for a test, with a database of its own, which the test may kill and
// restart. For tests only.
package temporaltest

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"syscall"
	"testing"

	"github.com/holesalemart/supportdesk/internal/local"
)

// Server is a private server without a UI, with the namespace "default". Its methods are safe for concurrent use.
type Server struct {
	// HostPort is the frontend's gRPC address. It stays the same across restarts.
	HostPort string

	t      testing.TB
	binary string
	db     string

	mu  sync.Mutex
	run *local.Temporal
}

// Start starts a server that ends with the test. The program is SUPPORTDESK_TEMPORAL_BIN, or else
// bin/supportdesk-temporal of this repository; if it is missing, the test fails.
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

// Kill sends SIGKILL. It does nothing if the server has ended.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run.Kill()
}

// Freeze stops the server in its tracks: it accepts connections and does not respond.
func (s *Server) Freeze() { s.signal(syscall.SIGSTOP) }

// Thaw lets the server continue after Freeze.
func (s *Server) Thaw() { s.signal(syscall.SIGCONT) }

func (s *Server) signal(signal syscall.Signal) {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := syscall.Kill(s.run.PID(), signal); err != nil {
		s.t.Fatal(err)
	}
}

// Stop shuts the server down cleanly, which takes about a second.
func (s *Server) Stop() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.run.Stop(); err != nil {
		s.t.Errorf("stop Temporal: %v", err)
	}
}

// Restart starts the server again after Kill or Stop, with the same data and port, and returns when it accepts
// requests.
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

// DB returns the path of the SQLite file; some data may be in its write-ahead log.
func (s *Server) DB() string { return s.db }
