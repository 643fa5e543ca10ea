package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
)

const (
	bareQueue  = "bare"
	bareSignal = "signal"
	bareStarts = 8 // at once
)

// bareWorkflows are workflows that do as little as possible on the stack's Temporal server: a local activity, as a step, and
// an activity, as a mail, which both do nothing. Then each waits for signals, and for one instant if there is one.
type bareWorkflows struct {
	client client.Client
	worker worker.Worker

	activities atomic.Int64 // that have run
	signals    atomic.Int64 // that have been received
	fired      samples      // how late each workflow's instant was noticed
}

func (s *stack) startBareWorkflows() (*bareWorkflows, error) {
	all := &bareWorkflows{client: s.client}
	all.worker = worker.New(s.client, bareQueue, worker.Options{ // as the tickets' worker
		MaxConcurrentWorkflowTaskExecutionSize: 32, MaxConcurrentWorkflowTaskPollers: 16,
		MaxConcurrentLocalActivityExecutionSize: 16, MaxConcurrentActivityExecutionSize: 16,
	})
	all.worker.RegisterWorkflowWithOptions(all.run, workflow.RegisterOptions{Name: "Bare"})
	all.worker.RegisterActivity(all.Send)
	return all, all.worker.Start()
}

func (a *bareWorkflows) stop() { a.worker.Stop() }

// Send is the activity.
func (a *bareWorkflows) Send(ctx context.Context) error {
	a.activities.Add(1)
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
			a.signals.Add(1)
		}
	})
	for {
		selector.Select(ctx)
	}
}

func (a *bareWorkflows) fire(ctx context.Context, instant time.Time) error {
	a.fired.add(time.Since(instant))
	return ctx.Err()
}

// start starts n workflows and waits until all have run their activity.
func (a *bareWorkflows) start(ctx context.Context, s *stack, n int, instant time.Time) error {
	want := a.activities.Load() + int64(n)
	_, _, err := each(ctx, bareStarts, n, func(ctx context.Context, _, i int) error {
		options := client.StartWorkflowOptions{ID: bareID(i), TaskQueue: bareQueue}
		_, err := a.client.ExecuteWorkflow(ctx, options, "Bare", instant)
		return err
	})
	if err != nil {
		return err
	}
	return s.await(ctx, "bare workflows", func() (bool, error) { return a.activities.Load() >= want, nil })
}

func bareID(i int) string { return fmt.Sprint("bare-", i) }

// bareRate is how many bare workflows per second are started and come so far that they wait.
func (s *stack) bareRate(ctx context.Context, n int) (float64, error) {
	all, err := s.startBareWorkflows()
	if err != nil {
		return 0, err
	}
	defer all.stop()
	began := time.Now()
	err = all.start(ctx, s, n, time.Time{})
	return float64(n) / time.Since(began).Seconds(), err
}
