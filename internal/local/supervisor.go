package local

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	firstPause = 200 * time.Millisecond // before an ended service is started again
	maxPause   = 5 * time.Second
	steady     = 10 * time.Second // a service that ran this long is started again without a longer pause
)

// Service is a process that is to run for as long as the stack does.
type Service interface {
	Stop() error
	Done() <-chan struct{}
	Err() error
}

// Supervisor keeps services running: one that ends by itself is started again, as a production scheduler would.
// Supervise and Stop are for one goroutine.
type Supervisor struct {
	report  func(string) // a line for whoever watches
	keepers []*keeper    // in the order of their start
}

// NewSupervisor makes a supervisor that tells report what it does.
func NewSupervisor(report func(string)) *Supervisor { return &Supervisor{report: report} }

// Supervise starts a service, gives it back when it has started, and keeps it running from then on. start is called
// again, from another goroutine, whenever the service has ended.
func Supervise[S Service](ctx context.Context, s *Supervisor, name string, start func(context.Context) (S, error)) (S, error) {
	service, err := start(ctx)
	if err != nil {
		return service, fmt.Errorf("%s: %w", name, err)
	}
	keepCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k := &keeper{
		name: name, report: s.report, cancel: cancel, stopped: make(chan error, 1),
		start: func(ctx context.Context) (Service, error) { return start(ctx) },
	}
	s.keepers = append(s.keepers, k)
	go func() { k.stopped <- k.keep(keepCtx, service) }()
	return service, nil
}

// Stop ends every service, the last started first, and waits for each.
func (s *Supervisor) Stop() error {
	var errs []error
	for i := len(s.keepers) - 1; i >= 0; i-- {
		k := s.keepers[i]
		k.cancel()
		errs = append(errs, <-k.stopped)
	}
	s.keepers = nil
	return errors.Join(errs...)
}

type keeper struct {
	name    string
	start   func(context.Context) (Service, error)
	report  func(string)
	cancel  context.CancelFunc
	stopped chan error
}

// keep watches a service until ctx ends, and starts it again whenever it ends before.
func (k *keeper) keep(ctx context.Context, service Service) error {
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
		k.report(fmt.Sprintf("%s ended (%v); starting it again", k.name, service.Err()))
		if service = k.restart(ctx, &pauses); service == nil {
			return nil
		}
		k.report(k.name + " is back")
	}
}

// restart tries until the service starts, with growing pauses. It returns nil when ctx has ended.
func (k *keeper) restart(ctx context.Context, pauses *loop.Backoff) Service {
	for loop.Sleep(ctx, pauses.Next()) {
		service, err := k.start(ctx)
		if err == nil {
			return service
		}
		k.report(fmt.Sprintf("%s does not start: %v", k.name, err))
	}
	return nil
}
