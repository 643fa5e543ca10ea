package local_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/holesalemart/supportdesk/internal/local"
)

// watched starts a program that does nothing, and keeps every start of it.
type watched struct {
	mu      sync.Mutex
	starts  []*local.Program
	refuse  int // this many starts fail from now on
	started chan struct{}
}

func newWatched() *watched { return &watched{started: make(chan struct{}, 16)} }

func (w *watched) start(context.Context) (local.Service, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.refuse > 0 {
		w.refuse--
		return nil, errors.New("not now")
	}
	p, err := local.StartProgram(local.ProgramOptions{Name: "sleeper", Path: "/bin/sleep", Args: []string{"600"}})
	if err == nil {
		w.starts = append(w.starts, p)
		w.started <- struct{}{}
	}
	return p, err
}

func (w *watched) await(t *testing.T) *local.Program {
	t.Helper()
	select {
	case <-w.started:
	case <-time.After(time.Minute):
		t.Fatal("the service was not started")
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.starts[len(w.starts)-1]
}

// said keeps what the supervisor reports.
type said struct {
	mu    sync.Mutex
	lines []string
}

func (s *said) report(line string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lines = append(s.lines, line)
}

func (s *said) has(text string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.ContainsFunc(s.lines, func(line string) bool { return strings.Contains(line, text) })
}

func TestSupervisor_startsAgainWhatEnds(t *testing.T) {
	var reported said
	s := local.NewSupervisor(reported.report)
	w := newWatched()
	if _, err := local.Supervise(t.Context(), s, "sleeper", w.start); err != nil {
		t.Fatal(err)
	}
	first := w.await(t)
	w.mu.Lock()
	w.refuse = 2
	w.mu.Unlock()
	if err := syscall.Kill(first.PID(), syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	second := w.await(t)
	if second == first {
		t.Error("the same process was started twice")
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	select {
	case <-second.Done():
	default:
		t.Error("the service outlives the supervisor's Stop")
	}
	if !reported.has("restarting sleeper: sleeper ended by the signal killed") || !reported.has("failed to start: not now") {
		t.Errorf("it only said %q", reported.lines)
	}
}

func TestSupervisor_stopsWhileAServiceIsDown(t *testing.T) {
	var reported said
	s := local.NewSupervisor(reported.report)
	w := newWatched()
	if _, err := local.Supervise(t.Context(), s, "sleeper", w.start); err != nil {
		t.Fatal(err)
	}
	process := w.await(t)
	w.mu.Lock()
	w.refuse = 1000
	w.mu.Unlock()
	process.Kill()
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
}

func TestSupervisor_stopsTheLastStartedFirst(t *testing.T) {
	s := local.NewSupervisor(func(string) {})
	var mu sync.Mutex
	var order []string
	for _, name := range []string{"first", "second"} {
		start := func(context.Context) (local.Service, error) {
			return &fakeService{stop: func() {
				mu.Lock()
				defer mu.Unlock()
				order = append(order, name)
			}}, nil
		}
		if _, err := local.Supervise(t.Context(), s, name, start); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Stop(); err != nil {
		t.Error(err)
	}
	if !slices.Equal(order, []string{"second", "first"}) {
		t.Errorf("stopped %v", order)
	}
	failing := func(context.Context) (local.Service, error) { return nil, errors.New("no such program") }
	if _, err := local.Supervise(t.Context(), s, "third", failing); err == nil {
		t.Error("a service that can't start at first is no error")
	}
}

type fakeService struct{ stop func() }

func (f *fakeService) Stop() error           { f.stop(); return nil }
func (f *fakeService) Done() <-chan struct{} { return nil }
func (f *fakeService) Err() error            { return nil }
