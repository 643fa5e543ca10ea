package local

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	temporalProgram = "supportdesk-temporal"
	temporalReady   = time.Minute
)

// TemporalOptions configures a Temporal server.
type TemporalOptions struct {
	Binary string    // path of supportdesk-temporal, see FindTemporal
	DB     string    // SQLite file; created if missing, with its directory
	Port   int       // gRPC frontend on 127.0.0.1; 0: any free port
	UIPort int       // web UI on 127.0.0.1; 0: no UI
	Log    io.Writer // errors logged by the server; nil: discarded
	Lock   *Lock     // awaited by a successor's AwaitOrphans; may be nil
}

// Temporal is a running server with the namespace "default". It does not outlive this process.
type Temporal struct {
	// HostPort is the frontend's gRPC address.
	HostPort string
	// UI is the URL of the web UI; empty if there is none.
	UI string

	*child
}

// FindTemporal returns the path of the Temporal server: SUPPORTDESK_TEMPORAL_BIN, or the one next to this program. If
// it is missing, the fault says how to build it.
func FindTemporal() (string, error) {
	path := os.Getenv("SUPPORTDESK_TEMPORAL_BIN")
	if path == "" {
		program, err := os.Executable()
		if err != nil {
			return "", fmt.Errorf("find this program: %w", err)
		}
		path = filepath.Join(filepath.Dir(program), temporalProgram)
	}
	if info, err := os.Stat(path); err != nil || info.IsDir() || info.Mode()&0o111 == 0 {
		return "", fault.New(fault.Unavailable,
			"there is no Temporal server at %s: build it with `make bin/%s`, or set SUPPORTDESK_TEMPORAL_BIN to one",
			path, temporalProgram)
	}
	return path, nil
}

// StartTemporal starts the server and returns when its frontend accepts requests. ctx bounds only the start. A port or
// database in use is a fault.
func StartTemporal(ctx context.Context, opts TemporalOptions) (*Temporal, error) {
	db, err := filepath.Abs(opts.DB)
	if err != nil {
		return nil, fmt.Errorf("resolve the database: %w", err)
	}
	if err := awaitPredecessor(ctx, db); err != nil {
		return nil, err
	}
	port, err := ChoosePort(opts.Port, "Temporal")
	if err != nil {
		return nil, err
	}
	if opts.UIPort != 0 {
		if _, err := ChoosePort(opts.UIPort, "Temporal's web UI"); err != nil {
			return nil, err
		}
	}
	ready := &firstLine{line: make(chan string, 1)}
	child, err := startChild(childSpec{
		name: "Temporal", path: opts.Binary,
		args:  []string{"--db", db, "--port", strconv.Itoa(port), "--ui-port", strconv.Itoa(opts.UIPort)},
		files: opts.Lock.inherit(), stdout: ready, log: opts.Log, stop: syscall.SIGTERM, orphan: syscall.SIGKILL,
	})
	if err != nil {
		return nil, err
	}
	t := &Temporal{child: child}
	if err := t.await(ctx, ready.line); err != nil {
		t.Kill()
		return nil, err
	}
	return t, nil
}

// awaitPredecessor gives the orphan of a killed program a moment to end. The lock is the server's own.
func awaitPredecessor(ctx context.Context, db string) error {
	file, err := openLock(filepath.Dir(db), filepath.Base(db)+".lock")
	if err != nil {
		return err
	}
	defer func() { _ = unlock(file) }()
	ctx, cancel := context.WithTimeout(ctx, orphanWait)
	defer cancel()
	if err := awaitLock(ctx, file); err != nil {
		return fault.New(fault.Conflict, "another Temporal server is using %s: stop it, or choose another data directory", db)
	}
	return nil
}

func (t *Temporal) await(ctx context.Context, ready <-chan string) error {
	ctx, cancel := context.WithTimeout(ctx, temporalReady)
	defer cancel()
	select {
	case line := <-ready:
		if _, err := fmt.Sscanf(line, "ready grpc=%s ui=%s", &t.HostPort, &t.UI); err != nil {
			return fmt.Errorf("read Temporal's ready line %q: %w", line, err)
		}
		t.UI = strings.TrimPrefix(t.UI, "-")
		return nil
	case <-t.done:
		return t.failure()
	case <-ctx.Done():
		return fmt.Errorf("wait for Temporal: %w", errors.Join(ctx.Err(), errors.New(t.tail.String())))
	}
}

// firstLine hands over the first line written to it and drops the rest.
type firstLine struct {
	line chan string // buffers one
	once sync.Once
	got  bytes.Buffer
}

func (f *firstLine) Write(p []byte) (int, error) {
	if f.got.Len() < 1024 {
		f.got.Write(p)
	}
	if line, _, whole := strings.Cut(f.got.String(), "\n"); whole {
		f.once.Do(func() { f.line <- line })
	}
	return len(p), nil
}
