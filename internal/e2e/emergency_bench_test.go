package e2e_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
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
	s.awaitGrowth(pool, "every receipt is sent", tickets, `SELECT count(*) FROM deliveries WHERE queue = 'ticket' AND status = 'sent'`)
	bare := newBare(b, s, tickets)
	for b.Loop() {
		at := bare.rate() // not again afterwards: then search attributes follow, see docs/emergencies.md
		pause := s.move(b, pool, "declare", map[string]any{"kind": "closed"}, tickets, ticket.VerbEmergencyPause)
		resume := s.move(b, pool, "lift", nil, tickets, ticket.VerbEmergencyResume)
		b.Logf("bare signals: %.0f/s; pause %.0f/s (%.2f of bare), resume %.0f/s (%.2f of bare)",
			at, pause, pause/at, resume, resume/at)
		b.ReportMetric(at, "bare/s")
		b.ReportMetric(pause, "pause/s")
		b.ReportMetric(resume, "resume/s")
		b.ReportMetric(min(pause, resume)/at, "of-bare")
	}
}

// move has every ticket paused, or go on, and returns the rate from the command until all are verified.
func (s *stack) move(b *testing.B, pool *pgxpool.Pool, command string, payload any, tickets int, verb ticket.Verb) float64 {
	b.Helper()
	before, used := s.memory(b), processorTime()
	s.command(command, payload)
	held := verb == ticket.VerbEmergencyPause
	s.awaitGrowth(pool, "half are notified", tickets/2, `SELECT count(*) FROM tickets WHERE (paused_by IS NOT NULL) = $1`, held)
	middle := s.memory(b)
	s.awaitGrowth(pool, "all are notified", tickets, `SELECT count(*) FROM tickets WHERE (paused_by IS NOT NULL) = $1`, held)
	transition := s.awaitVerified(verb)
	report, err := s.emergency()
	if err != nil {
		b.Fatal(err)
	}
	took := report.Fanout.DoneAt.Sub(report.Fanout.Began)
	s.checkHeld(pool, held, transition)
	b.Logf("%s: CPU a ticket: %s", verb, perTicket(tickets, used))
	b.Logf("%s: %d tickets in %s, %d signals, %d rounds; the worker has %d MB at the start, %d in the middle, %d at the end",
		verb, report.Fanout.Total, took.Round(time.Millisecond), report.Fanout.Notified, report.Fanout.Round, before, middle, s.memory(b))
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
	began, want, used := time.Now(), a.noted.Load()+int64(a.n), processorTime()
	a.each(func(ctx context.Context, id string) error {
		return a.client.SignalWorkflow(ctx, id, "", string(ticket.VerbEmergencyPause), workflows.Signal{Emergency: "E-0000000000", Schedule: 1, At: began})
	})
	steadily(a.b, "all have taken note", want, func() (int64, error) { return a.noted.Load(), nil })
	a.b.Logf("bare: CPU a signal: %s", perTicket(a.n, used))
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

// processorTime is what each kind of this test's processes has used so far; on a shared machine it says more than the
// clock. Programs are distinguished by the first 15 letters of their names.
func processorTime() map[string]time.Duration {
	const tick = time.Second / 100 // of /proc
	total, parent, name := map[int]time.Duration{}, map[int]int{}, map[int]string{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat") // the pattern is well formed
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		pid, rest, _ := strings.Cut(string(text), " (")
		end := strings.LastIndexByte(rest, ')')
		fields := strings.Fields(rest[end+1:])
		n, _ := strconv.Atoi(pid)
		user, _ := strconv.Atoi(fields[11])
		system, _ := strconv.Atoi(fields[12])
		name[n], total[n] = rest[:end], time.Duration(user+system)*tick
		parent[n], _ = strconv.Atoi(fields[1])
	}
	used := map[string]time.Duration{}
	for pid := range total {
		for p := pid; p > 1; p = parent[p] {
			if p == os.Getpid() {
				used[name[pid]] += total[pid]
				break
			}
		}
	}
	return used
}

func perTicket(tickets int, before map[string]time.Duration) string {
	var parts []string
	for name, now := range processorTime() {
		if spent := now - before[name]; spent > 0 {
			parts = append(parts, fmt.Sprintf("%s %s", name, (spent/time.Duration(tickets)).Round(10*time.Microsecond)))
		}
	}
	slices.Sort(parts)
	return strings.Join(parts, ", ")
}
