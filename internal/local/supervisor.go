// Package local runs the stack of `supportdesk up` and of tests on one machine: PostgreSQL and Temporal servers as
// child processes, and a mailbox that receives all mail over SMTP and shows it. Children do not outlive their parent,
// and nothing here deletes data. It knows nothing of tickets and is not used in production.
package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"syscall"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	firstPause = 200 * time.Millisecond // before a restart
	maxPause   = 5 * time.Second
	steady     = 10 * time.Second // a service that ran this long is restarted without a longer pause
)

// Service is a process that should run as long as the stack.
type Service interface {
	Stop() error
	Done() <-chan struct{}
	Err() error
}

// Supervisor restarts services that end by themselves. Supervise and Stop must be called from one goroutine.
type Supervisor struct {
	report   func(string)  // prints a line
	services []*supervised // in the order of their start
}

// NewSupervisor returns a supervisor that reports restarts.
func NewSupervisor(report func(string)) *Supervisor { return &Supervisor{report: report} }

// Supervise starts a service, returns it, and restarts it whenever it ends. start is called from another goroutine
// then.
func Supervise[S Service](ctx context.Context, s *Supervisor, name string, start func(context.Context) (S, error)) (S, error) {
	service, err := start(ctx)
	if err != nil {
		return service, fmt.Errorf("%s: %w", name, err)
	}
	keepCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k := &supervised{
		name: name, report: s.report, cancel: cancel, stopped: make(chan error, 1),
		start: func(ctx context.Context) (Service, error) { return start(ctx) },
	}
	s.services = append(s.services, k)
	go func() { k.stopped <- k.keep(keepCtx, service) }()
	return service, nil
}

// Stop stops all services in reverse order, and waits for each.
func (s *Supervisor) Stop() error {
	var errs []error
	for i := len(s.services) - 1; i >= 0; i-- {
		k := s.services[i]
		k.cancel()
		errs = append(errs, <-k.stopped)
	}
	s.services = nil
	return errors.Join(errs...)
}

type supervised struct {
	name    string
	start   func(context.Context) (Service, error)
	report  func(string)
	cancel  context.CancelFunc
	stopped chan error
}

// keep watches a service until ctx ends, and starts it again whenever it ends before.
func (k *supervised) keep(ctx context.Context, service Service) error {
	pauses := loop.Backoff{First: firstPause, Max: maxPause}
	for {
		since := time.Now()
		select {
		case <-ctx.Done():
			return service.Stop()
		case <-service.Done():
		}
		if time.Since(since) > steady {
			pauses.Reset()
		}
		ended := k.name + " ended"
		if err := service.Err(); err != nil {
			ended = err.Error()
		}
		k.report("restarting " + k.name + ": " + ended)
		if service = k.restart(ctx, &pauses); service == nil {
			return nil
		}
		k.report(k.name + " has been restarted")
	}
}

// restart tries until the service starts, with growing pauses. It returns nil when ctx has ended.
func (k *supervised) restart(ctx context.Context, pauses *loop.Backoff) Service {
	for loop.Sleep(ctx, pauses.Next()) {
		service, err := k.start(ctx)
		if err == nil {
			return service
		}
		k.report(fmt.Sprintf("%s failed to start: %v", k.name, err))
	}
	return nil
}

// ProgramOptions describes a program to run.
type ProgramOptions struct {
	Name string    // for errors
	Path string    // absolute path
	Args []string  // without the program's own name
	Env  []string  // KEY=value; nil: inherited
	Log  io.Writer // output; nil: discarded
	Lock *Lock     // awaited by a successor's AwaitOrphans; may be nil
}

// Program is a running program. It does not outlive this process.
type Program struct{ *child }

// StartProgram starts a program. It does not wait until it is ready.
func StartProgram(o ProgramOptions) (*Program, error) {
	child, err := startChild(childSpec{
		name: o.Name, path: o.Path, args: o.Args, env: o.Env, log: o.Log, files: o.Lock.inherit(),
		stop: syscall.SIGTERM, orphan: syscall.SIGTERM,
	})
	if err != nil {
		return nil, err
	}
	return &Program{child}, nil
}
