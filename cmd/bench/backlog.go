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

// backlog measures how fast tickets are worked off that were submitted while no worker ran, until the last receipt is sent,
// beside workflows that do as little as possible on the same server.
func backlog(b *bench) error {
	s, err := b.start()
	if err != nil {
		return err
	}
	defer s.stop()
	n := b.scaled(b.settings.Backlog)
	if _, _, err := each(b.ctx, rushClients, n, s.submit); err != nil {
		return err
	}
	before := s.processorTime()
	began := time.Now()
	if err := s.startWorker(); err != nil {
		return err
	}
	if err := s.mails.awaitReceipts(b.ctx, n); err != nil {
		return err
	}
	took := time.Since(began)
	processor := s.processorFigure("backlog", n, before)
	bare, err := s.bareWorkflows(b.ctx, max(1, n/4))
	if err != nil {
		return err
	}
	b.report.add(perSecond("backlog, tickets with their receipts sent", n, took).
		beside(bare, "bare workflows").atLeast(100), processor)
	return nil
}

const bareQueue = "bare"

// bareWorkflows starts n workflows that run a local activity, as a step, and an activity, as a mail, which both do nothing,
// and then wait as a ticket does. It returns how many per second came that far.
func (s *stack) bareWorkflows(ctx context.Context, n int) (float64, error) {
	var done atomic.Int64
	all := make(chan struct{})
	w := worker.New(s.client, bareQueue, worker.Options{ // as the tickets' worker
		MaxConcurrentWorkflowTaskExecutionSize: 32, MaxConcurrentWorkflowTaskPollers: 16,
		MaxConcurrentLocalActivityExecutionSize: 16, MaxConcurrentActivityExecutionSize: 16,
	})
	nothing := func(context.Context) error { return nil }
	sent := func(context.Context) error {
		if done.Add(1) == int64(n) {
			close(all)
		}
		return nil
	}
	w.RegisterWorkflowWithOptions(func(ctx workflow.Context) error {
		local := workflow.WithLocalActivityOptions(ctx, workflow.LocalActivityOptions{StartToCloseTimeout: time.Minute})
		if err := workflow.ExecuteLocalActivity(local, nothing).Get(ctx, nil); err != nil {
			return err
		}
		regular := workflow.WithActivityOptions(ctx, workflow.ActivityOptions{StartToCloseTimeout: time.Minute})
		if err := workflow.ExecuteActivity(regular, sent).Get(ctx, nil); err != nil {
			return err
		}
		return workflow.Sleep(ctx, 24*time.Hour)
	}, workflow.RegisterOptions{Name: "Bare"})
	w.RegisterActivity(sent)
	if err := w.Start(); err != nil {
		return 0, err
	}
	defer w.Stop()
	began := time.Now()
	_, _, err := each(ctx, 8, n, func(ctx context.Context, _, i int) error {
		_, err := s.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: fmt.Sprint("bare-", i), TaskQueue: bareQueue}, "Bare")
		return err
	})
	if err != nil {
		return 0, err
	}
	select {
	case <-all:
		return float64(n) / time.Since(began).Seconds(), nil
	case <-ctx.Done():
		return 0, ctx.Err()
	}
}
