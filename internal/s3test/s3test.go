// Package s3test starts an S3 server for a test, on loopback and with data of its own, which the test may kill and
// restart. For tests only.
package s3test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"sync"
	"testing"
	"time"
)

const (
	accessKey = "test"
	secretKey = "a-secret-of-the-tests-alone"
	region    = "us-east-1"
	// startTimeout is long, because a machine that runs other tests is slow.
	startTimeout = time.Minute
)

// Server is a private server. Its methods are safe for concurrent use.
type Server struct {
	t       testing.TB
	program string
	address string // stays the same across restarts
	data    string

	mu  sync.Mutex
	run *run
}

// run is one process of a server.
type run struct {
	process *os.Process
	done    chan struct{}
	output  bytes.Buffer // read only when done
}

// Start starts a server that ends with the test, and sets the environment's credentials of AWS to its own, so that the
// test can't be parallel. The program is SUPPORTDESK_S3_BIN, or else bin/versitygw of this repository; if it is missing,
// the test fails.
func Start(t testing.TB) *Server {
	t.Helper()
	s := &Server{t: t, program: program(t), address: freeAddress(t), data: t.TempDir()}
	t.Setenv("AWS_ACCESS_KEY_ID", accessKey)
	t.Setenv("AWS_SECRET_ACCESS_KEY", secretKey)
	t.Setenv("AWS_SESSION_TOKEN", "")
	if err := s.start(); err != nil {
		t.Fatalf("start an S3 server: %v", err)
	}
	t.Cleanup(s.Kill)
	return s
}

// Bucket creates a bucket and returns its URL, as blob.Open takes it.
func (s *Server) Bucket(name string) string {
	s.t.Helper()
	if err := os.Mkdir(s.Dir(name), 0o700); err != nil {
		s.t.Fatalf("create a bucket: %v", err)
	}
	return s.URL(name)
}

// URL returns the URL of a bucket, which need not exist.
func (s *Server) URL(name string) string {
	return fmt.Sprintf("s3://%s?endpoint=http://%s&region=%s&use_path_style=true", name, s.address, region)
}

// Dir returns the folder in which the server keeps a bucket.
func (s *Server) Dir(name string) string { return filepath.Join(s.data, name) }

// Kill sends SIGKILL. It does nothing if the server has ended.
func (s *Server) Kill() {
	s.mu.Lock()
	defer s.mu.Unlock()
	_ = s.run.process.Kill() // fails only when it has ended
	<-s.run.done
}

// Restart starts the server again after Kill, with the same data and address, and returns when it accepts requests.
func (s *Server) Restart() {
	s.t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.start(); err != nil {
		s.t.Errorf("restart the S3 server: %v", err)
	}
}

func (s *Server) start() error {
	started := &run{done: make(chan struct{})}
	cmd := exec.Command(s.program, "--access", accessKey, "--secret", secretKey, "--region", region,
		"--port", s.address, "--health", "/health", "--quiet", "posix", s.data)
	cmd.Stdout, cmd.Stderr = &started.output, &started.output
	cmd.SysProcAttr = endsWithUs()
	failed := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // the death signal is tied to the thread that forked
		err := cmd.Start()
		failed <- err
		if err == nil {
			_ = cmd.Wait() // its output says more
		}
		close(started.done)
	}()
	if err := <-failed; err != nil {
		return err
	}
	started.process = cmd.Process
	s.run = started
	return s.await(started)
}

// await returns when the server responds.
func (s *Server) await(r *run) error {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.address+"/health", nil)
		if err != nil {
			return err
		}
		if response, err := http.DefaultClient.Do(request); err == nil {
			_ = response.Body.Close()
			return nil
		}
		select {
		case <-time.After(10 * time.Millisecond):
		case <-r.done:
			return fmt.Errorf("it ended: %s", r.output.Bytes())
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func program(t testing.TB) string {
	t.Helper()
	path := os.Getenv("SUPPORTDESK_S3_BIN")
	if path == "" {
		_, here, _, _ := runtime.Caller(0)
		path = filepath.Join(filepath.Dir(here), "..", "..", "bin", "versitygw")
	}
	if _, err := os.Stat(path); err != nil {
		t.Fatalf("there is no S3 server at %s: run `make bin/versitygw` first", path)
	}
	return path
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatalf("find a free port: %v", err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}
