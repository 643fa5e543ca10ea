package e2e_test

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"go.temporal.io/sdk/client"
	sdkworker "go.temporal.io/sdk/worker"
	"go.temporal.io/sdk/workflow"
	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/policy"
	"github.com/holesalemart/supportdesk/internal/ticket"
	"github.com/holesalemart/supportdesk/workflows"
)

// benchTickets is how many; `make bench-emergency` asks for 10,000.
func benchTickets(b *testing.B) int {
	text := os.Getenv("SUPPORTDESK_BENCH_TICKETS")
	if text == "" {
		return 200
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		b.Fatalf("SUPPORTDESK_BENCH_TICKETS is %q", text)
	}
	return n
}

// BenchmarkEmergency pauses every open ticket and lets it go on, beside what the same server does at best: as many
// signals, as many at once, to as many workflows that only take note.
func BenchmarkEmergency(b *testing.B) {
	tickets := benchTickets(b)
	s := start(b, string(policy.Holesalemart()))
	pool := s.pool()
	s.fill(pool, tickets)
	s.awaitCount(pool, "every receipt is sent", 0, 0, `SELECT count(*) FROM mails WHERE status = 'owed'`)
	bare := newBare(b, s, tickets)
	for b.Loop() {
		first := bare.rate()
		pause := s.move(b, pool, "declare", map[string]any{"kind": "closed"}, tickets, ticket.VerbEmergencyPause)
		resume := s.move(b, pool, "lift", nil, tickets, ticket.VerbEmergencyResume)
		second := bare.rate()
		at := (first + second) / 2
		b.Logf("bare signals: %.0f/s before, %.0f/s after; pause %.0f/s (%.2f of bare), resume %.0f/s (%.2f of bare)",
			first, second, pause, pause/at, resume, resume/at)
		b.ReportMetric(at, "bare/s")
		b.ReportMetric(pause, "pause/s")
		b.ReportMetric(resume, "resume/s")
		b.ReportMetric(min(pause, resume)/at, "of-bare")
	}
}

// move has every ticket paused, or go on, and gives the rate from the command until all is proven.
func (s *stack) move(b *testing.B, pool *pgxpool.Pool, command string, payload any, tickets int, verb ticket.Verb) float64 {
	b.Helper()
	before := s.memory(b)
	s.command(command, payload)
	held := verb == ticket.VerbEmergencyPause
	s.awaitCount(pool, "half are told", tickets/2, tickets, `SELECT count(*) FROM tickets WHERE (held IS NOT NULL) = $1`, held)
	middle := s.memory(b)
	edge := s.awaitProven(verb)
	report, err := s.emergency()
	if err != nil {
		b.Fatal(err)
	}
	took := report.Fanout.Proven.Sub(report.Fanout.Began)
	s.checkHeld(pool, held, edge)
	b.Logf("%s: %d tickets in %s, %d signals, %d rounds; the worker has %d MB at the start, %d in the middle, %d at the end",
		verb, report.Fanout.Total, took.Round(time.Millisecond), report.Fanout.Told, report.Fanout.Round, before, middle, s.memory(b))
	return float64(report.Fanout.Total) / took.Seconds()
}

// memory is what the worker has resident, in MB.
func (s *stack) memory(b *testing.B) int {
	b.Helper()
	s.worker.mu.Lock()
	pid := s.worker.process.PID()
	s.worker.mu.Unlock()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(status), "VmRSS:")
	kb, err := strconv.Atoi(strings.Fields(rest)[0])
	if err != nil {
		b.Fatal(err)
	}
	return kb >> 10
}

const (
	bareQueue    = "bare"
	bareParallel = 16 // as a fan-out
)

// bare are workflows that only take note of a signal.
type bare struct {
	b      *testing.B
	client client.Client
	n      int
	noted  atomic.Int64
}

func newBare(b *testing.B, s *stack, n int) *bare {
	b.Helper()
	all := &bare{b: b, client: s.temporalClient(), n: n}
	w := sdkworker.New(all.client, bareQueue, sdkworker.Options{ // as a ticket's
		MaxConcurrentWorkflowTaskExecutionSize: 32, MaxConcurrentWorkflowTaskPollers: 16,
	})
	w.RegisterWorkflowWithOptions(all.note, workflow.RegisterOptions{Name: "Bare"})
	if err := w.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(w.Stop)
	all.each(func(ctx context.Context, id string) error {
		_, err := all.client.ExecuteWorkflow(ctx, client.StartWorkflowOptions{ID: id, TaskQueue: bareQueue}, "Bare")
		return err
	})
	return all
}

func (a *bare) note(ctx workflow.Context) error {
	for {
		var s workflows.Signal
		workflow.GetSignalChannel(ctx, string(ticket.VerbEmergencyPause)).Receive(ctx, &s)
		if !workflow.IsReplaying(ctx) {
			a.noted.Add(1)
		}
	}
}

// rate signals all of them, and is from the first signal until all have taken note.
func (a *bare) rate() float64 {
	a.b.Helper()
	began, want := time.Now(), a.noted.Load()+int64(a.n)
	a.each(func(ctx context.Context, id string) error {
		return a.client.SignalWorkflow(ctx, id, "", string(ticket.VerbEmergencyPause), workflows.Signal{Emergency: "E-0000000000", Gate: 1, At: began})
	})
	eventually(a.b, "all have taken note", func() (bool, string) { return a.noted.Load() >= want, fmt.Sprint(a.noted.Load()) })
	return float64(a.n) / time.Since(began).Seconds()
}

func (a *bare) each(f func(context.Context, string) error) {
	a.b.Helper()
	group, ctx := errgroup.WithContext(a.b.Context())
	group.SetLimit(bareParallel)
	for i := range a.n {
		group.Go(func() error { return f(ctx, fmt.Sprint("bare-", i)) })
	}
	if err := group.Wait(); err != nil {
		a.b.Fatal(err)
	}
}
