package main

import (
	"context"
	"fmt"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	temporalLimit = 10 * time.Second // for what Temporal is asked by a command that an operator waits for
	temporalStart = time.Minute      // for a Temporal server that is starting
)

// awaitTemporal waits until Temporal responds, because in a deployment all processes start at the same time. It returns its last
// error if ctx ends before.
func (n *dependencies) awaitTemporal(ctx context.Context) error {
	for logged := false; ; logged = true {
		err := n.askTemporal(ctx)
		if err == nil || ctx.Err() != nil {
			return err
		}
		if !logged {
			n.log.Warn("waiting for Temporal", "error", err)
		}
		loop.Sleep(ctx, time.Second)
	}
}

// askTemporal asks Temporal for its health, in a limited time.
func (n *dependencies) askTemporal(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, temporalLimit)
	defer cancel()
	return n.dispatcher().Ready(ctx)
}

// onceTemporalResponds calls do, for a command that is run while Temporal starts.
func (n *dependencies) onceTemporalResponds(ctx context.Context, do func(context.Context) error) error {
	return limited(ctx, temporalStart, "Temporal", func(ctx context.Context) error {
		if err := n.awaitTemporal(ctx); err != nil {
			return err
		}
		return retryUnavailable(ctx, do)
	})
}

// retryUnavailable calls do until it returns no Unavailable fault, or ctx ends.
func retryUnavailable(ctx context.Context, do func(context.Context) error) error {
	for {
		err := do(ctx)
		if fault.KindOf(err) != fault.Unavailable || !loop.Sleep(ctx, time.Second) {
			return err
		}
	}
}

// limited calls do with a time limit. If it is reached, the error names it and the service that did not answer.
func limited(ctx context.Context, limit time.Duration, service string, do func(context.Context) error) error {
	within, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	err := do(within)
	if err != nil && within.Err() != nil && ctx.Err() == nil {
		return fmt.Errorf("%s has not answered within %s: %w", service, limit, err)
	}
	return err
}
