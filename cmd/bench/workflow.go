package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"go.temporal.io/sdk/client"
)

// bareServer is the variable of the environment that makes this program a worker of bare workflows on the Temporal server at
// the address.
const bareServer = "BENCH_BARE_SERVER"

const bareStarts = 8 // at once

// bareWorker is a worker of bare workflows on the stack's Temporal server: this program again, as the product's worker is a
// process of its own.
type bareWorker struct {
	client  client.Client
	process *exec.Cmd
	asks    io.WriteCloser // the process ends when it is closed
	answers *json.Decoder
	started int
}

// bareCounts is what a bare worker has done so far.
type bareCounts struct {
	Activities int             // that have run
	Signals    int             // that have been received
	Late       []time.Duration // how late each workflow's instant was noticed
}

func (s *stack) startBareWorker(ctx context.Context) (*bareWorker, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	w := &bareWorker{client: s.client, process: exec.CommandContext(ctx, self)}
	w.process.Env = append(os.Environ(), bareServer+"="+s.temporal.HostPort)
	w.process.Stderr = os.Stderr
	if w.asks, err = w.process.StdinPipe(); err != nil {
		return nil, err
	}
	answers, err := w.process.StdoutPipe()
	if err != nil {
		return nil, err
	}
	w.answers = json.NewDecoder(answers)
	if err := w.process.Start(); err != nil {
		return nil, fmt.Errorf("start the bare worker: %w", err)
	}
	if _, err := w.counts(); err != nil { // it is ready
		w.stop()
		return nil, err
	}
	return w, nil
}

// stop ends the process. Its workflows end with the server.
func (w *bareWorker) stop() {
	err := errors.Join(w.asks.Close(), w.process.Wait())
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench: the bare worker:", err)
	}
}

func (w *bareWorker) counts() (c bareCounts, err error) {
	if _, err = fmt.Fprintln(w.asks); err == nil {
		err = w.answers.Decode(&c)
	}
	if err != nil {
		err = fmt.Errorf("ask the bare worker: %w", err)
	}
	return c, err
}

// await waits until a condition of the counts holds.
func (w *bareWorker) await(ctx context.Context, s *stack, what string, holds func(bareCounts) bool) error {
	return s.await(ctx, what, func() (bool, error) {
		c, err := w.counts()
		return err == nil && holds(c), err
	})
}

// late waits until n workflows have noticed their instant, and returns how late.
func (w *bareWorker) late(ctx context.Context, s *stack, n int) (*samples, error) {
	late := &samples{}
	err := w.await(ctx, s, "the bare timers", func(c bareCounts) bool {
		late.all = c.Late
		return len(c.Late) >= n
	})
	return late, err
}

// start starts n more workflows and waits until all have run their activity.
func (w *bareWorker) start(ctx context.Context, s *stack, n int, instant time.Time) error {
	first := w.started
	w.started += n
	_, _, err := each(ctx, bareStarts, n, func(ctx context.Context, _, i int) error {
		options := client.StartWorkflowOptions{ID: bareID(first + i), TaskQueue: bareQueue}
		_, err := w.client.ExecuteWorkflow(ctx, options, bareName, instant)
		return err
	})
	if err != nil {
		return err
	}
	return w.await(ctx, s, "bare workflows", func(c bareCounts) bool { return c.Activities >= w.started })
}

func bareID(i int) string { return fmt.Sprint("bare-", i) }

// bareRate is how many bare workflows per second are started and come so far that they wait.
func (s *stack) bareRate(ctx context.Context, n int) (float64, error) {
	bare, err := s.startBareWorker(ctx)
	if err != nil {
		return 0, err
	}
	defer bare.stop()
	began := time.Now()
	err = bare.start(ctx, s, n, time.Time{})
	return float64(n) / time.Since(began).Seconds(), err
}
