package main

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/log"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	bareName   = "Bare"
	bareQueue  = "bare"
	bareSignal = "signal"
)

// bareWorkflows are workflows that do as little as possible: a local activity, as a step, and an activity, as a mail, which
// both do nothing. Then each waits for signals, and for one instant if there is one.
type bareWorkflows struct {
	mu     sync.Mutex
	counts bareCounts
}

func dialTemporal(ctx context.Context, address string) (client.Client, error) {
	return client.DialContext(ctx, client.Options{HostPort: address, Logger: log.NewStructuredLogger(discardLog())})
}

// workBare works on the bare workflows of a Temporal server and writes the counts for each line that it reads, until the input
// ends.
func workBare(ctx context.Context, address string, asks io.Reader, answers io.Writer) error {
	temporal, err := dialTemporal(ctx, address)
	if err != nil {
		return err
	}
	defer temporal.Close()
	all := &bareWorkflows{}
	w := worker.New(temporal, bareQueue, worker.Options{ // as the tickets' worker
		MaxConcurrentWorkflowTaskExecutionSize: 32, MaxConcurrentWorkflowTaskPollers: 16,
		MaxConcurrentLocalActivityExecutionSize: 16, MaxConcurrentActivityExecutionSize: 16,
	})
	w.RegisterWorkflowWithOptions(all.run, workflow.RegisterOptions{Name: bareName})
	w.RegisterActivity(all.Send)
	if err := w.Start(); err != nil {
		return err
	}
	defer w.Stop()
	encode := json.NewEncoder(answers)
	lines := bufio.NewScanner(asks)
	for lines.Scan() {
		if err := encode.Encode(all.soFar()); err != nil {
			return err
		}
	}
	return lines.Err()
}

func (a *bareWorkflows) soFar() bareCounts {
	a.mu.Lock()
	defer a.mu.Unlock()
	c := a.counts
	c.Late = slices.Clone(c.Late)
	return c
}

func (a *bareWorkflows) note(what func(*bareCounts)) {
	a.mu.Lock()
	defer a.mu.Unlock()
	what(&a.counts)
}

// Send is the activity.
func (a *bareWorkflows) Send(ctx context.Context) error {
	a.note(func(c *bareCounts) { c.Activities++ })
	return ctx.Err()
}

func (a *bareWorkflows) step(ctx context.Context) error { return ctx.Err() }

func (a *bareWorkflows) run(ctx workflow.Context, instant time.Time) error {
	local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteLocalActivity(local, a.step).Get(ctx, nil); err != nil {
		return err
	}
	regular := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
	if err := workflow.ExecuteActivity(regular, a.Send).Get(ctx, nil); err != nil {
		return err
	}
	selector := workflow.NewSelector(ctx)
	if !instant.IsZero() {
		selector.AddFuture(workflow.NewTimer(ctx, instant.Sub(workflow.Now(ctx))), func(workflow.Future) {
			_ = workflow.ExecuteLocalActivity(local, a.fire, instant).Get(ctx, nil) // it can't fail
		})
	}
	selector.AddReceive(workflow.GetSignalChannel(ctx, bareSignal), func(c workflow.ReceiveChannel, _ bool) {
		c.Receive(ctx, nil)
		if !workflow.IsReplaying(ctx) {
			a.note(func(c *bareCounts) { c.Signals++ })
		}
	})
	for {
		selector.Select(ctx)
	}
}

func (a *bareWorkflows) fire(ctx context.Context, instant time.Time) error {
	late := time.Since(instant)
	a.note(func(c *bareCounts) { c.Late = append(c.Late, late) })
	return ctx.Err()
}
