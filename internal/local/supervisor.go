package local

import (
	"context"
	"errors"
	"fmt"
	"time"
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
// Start and Stop are for one goroutine.
type Supervisor struct {
	report  func(string) // a line for whoever watches
	keepers []*keeper    // in the order of their start
}

// NewSupervisor makes a supervisor that tells report what it does.
func NewSupervisor(report func(string)) *Supervisor { return &Supervisor{report: report} }

// Start starts a service, returns when it has started or failed to, and keeps it running from then on.
func (s *Supervisor) Start(ctx context.Context, name string, start func(context.Context) (Service, error)) error {
	service, err := start(ctx)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	k := &keeper{name: name, start: start, report: s.report, stopped: make(chan error, 1)}
	keepCtx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	k.cancel = cancel
	s.keepers = append(s.keepers, k)
	go func() { k.stopped <- k.keep(keepCtx, service) }()
	return nil
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
	pause := firstPause
	for {
		since := time.Now()
		select {
		case <-ctx.Done():
			return service.Stop()
		case <-service.Done():
		}
		if time.Since(since) > steady {
			pause = firstPause
		}
		k.report(fmt.Sprintf("%s ended (%v); starting it again", k.name, service.Err()))
		var err error
		for {
			select {
			case <-ctx.Done():
				return nil
			case <-time.After(pause):
			}
			pause = min(2*pause, maxPause)
			if service, err = k.start(ctx); err == nil {
				break
			}
			k.report(fmt.Sprintf("%s does not start: %v", k.name, err))
		}
		k.report(k.name + " is back")
	}
}
