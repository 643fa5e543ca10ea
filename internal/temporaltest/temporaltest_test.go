package temporaltest_test

import (
	"fmt"
	"testing"
	"time"

	"go.temporal.io/sdk/client"
	"go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"

	"github.com/holesalemart/supportdesk/internal/temporaltest"
)

const queue = "temporaltest"

// collect returns the first n signals in order of arrival.
func collect(ctx workflow.Context, n int) ([]string, error) {
	got := make([]string, n)
	for i := range got {
		workflow.GetSignalChannel(ctx, "word").Receive(ctx, &got[i])
	}
	return got, nil
}

// nap returns the delay of a timer.
func nap(ctx workflow.Context, d time.Duration) (time.Duration, error) {
	start := workflow.Now(ctx)
	err := workflow.Sleep(ctx, d)
	return workflow.Now(ctx).Sub(start) - d, err
}

func dial(t *testing.T, server *temporaltest.Server) client.Client {
	t.Helper()
	c, err := client.DialContext(t.Context(), client.Options{HostPort: server.HostPort})
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	t.Cleanup(c.Close)
	return c
}

func work(t *testing.T, c client.Client) {
	t.Helper()
	w := worker.New(c, queue, worker.Options{})
	w.RegisterWorkflow(collect)
	w.RegisterWorkflow(nap)
	if err := w.Start(); err != nil {
		t.Fatalf("start a worker: %v", err)
	}
	t.Cleanup(w.Stop)
}

func TestServer_keepsAcknowledgedSignalsAcrossKills(t *testing.T) {
	t.Parallel()
	const kills, burst = 3, 20
	server := temporaltest.Start(t)
	address := server.HostPort
	c := dial(t, server)
	options := client.StartWorkflowOptions{ID: "words", TaskQueue: queue}
	run, err := c.ExecuteWorkflow(t.Context(), options, collect, kills*burst)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	for kill := range kills {
		for i := range burst {
			if err := c.SignalWorkflow(t.Context(), "words", "", "word", fmt.Sprint(kill*burst+i)); err != nil {
				t.Fatalf("signal: %v", err)
			}
		}
		server.Kill()
		server.Restart()
	}
	if server.HostPort != address {
		t.Errorf("the address moved from %s to %s", address, server.HostPort)
	}
	work(t, c)
	var got []string
	if err := run.Get(t.Context(), &got); err != nil {
		t.Fatalf("result: %v", err)
	}
	for i, word := range got {
		if word != fmt.Sprint(i) {
			t.Fatalf("signal %d is %q: %q", i, word, got)
		}
	}
}

func TestServer_firesShortTimersOnTime(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	c := dial(t, server)
	work(t, c)
	for _, asked := range []time.Duration{100 * time.Millisecond, 700 * time.Millisecond, 1500 * time.Millisecond} {
		run, err := c.ExecuteWorkflow(t.Context(), client.StartWorkflowOptions{TaskQueue: queue}, nap, asked)
		if err != nil {
			t.Fatalf("start: %v", err)
		}
		var late time.Duration
		if err := run.Get(t.Context(), &late); err != nil {
			t.Fatalf("result: %v", err)
		}
		t.Logf("a timer of %s fired %s late", asked, late)
		if late < 0 || late > time.Second/2 {
			t.Errorf("a timer of %s fired %s late", asked, late)
		}
	}
}

func TestStop_isCleanAndRestartable(t *testing.T) {
	t.Parallel()
	server := temporaltest.Start(t)
	server.Stop()
	server.Restart()
	if _, err := dial(t, server).CheckHealth(t.Context(), nil); err != nil {
		t.Errorf("health after a clean stop: %v", err)
	}
}
