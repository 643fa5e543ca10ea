package main

import (
	"context"
	"fmt"
	"strings"
	"time"
)

// idle measures what open tickets cost while nothing happens, beside bare workflows that wait.
func idle(b *bench) error {
	s, err := b.startWorking()
	if err != nil {
		return err
	}
	defer s.stop()
	all := []int{100, 1000, 10_000}
	var figures [][]figure
	for i, open := range all {
		all[i] = b.scaled(open)
		if err := s.fill(b.ctx, all[i]); err != nil {
			return err
		}
		measured, err := s.idleAt(b, all[i])
		if err != nil {
			return err
		}
		figures = append(figures, measured)
	}
	// From now on only the bare workflows and their worker are there, beside the workflows of the tickets, which wait for a worker.
	s.worker.run.Kill()
	s.api.run.Kill()
	bare, err := s.startBareWorker(b.ctx)
	if err != nil {
		return err
	}
	defer bare.stop()
	for i, open := range all {
		if err := bare.start(b.ctx, s, open-bare.started, time.Time{}); err != nil {
			return err
		}
		spent, _, err := s.idleFor(b)
		if err != nil {
			return err
		}
		figures[i][0] = figures[i][0].beside(spent["temporal"]+spent[clientsPart], "bare workflows")
		b.report.add(figures[i]...)
	}
	return nil
}

// idleAt returns the figures of a desk with so many open tickets, of which the first is the processor time.
func (s *stack) idleAt(b *bench, open int) ([]figure, error) {
	// Everything is worked off: the last receipts are recorded, and Temporal's own queues are empty.
	err := s.awaitCount(b.ctx, 1, `SELECT (NOT EXISTS (SELECT FROM undelivered WHERE delivered_at IS NULL) AND NOT EXISTS (SELECT FROM deliveries WHERE status = 'owed'))::int`)
	if err != nil {
		return nil, err
	}
	spent, transactions, err := s.idleFor(b)
	if err != nil {
		return nil, err
	}
	var connections int
	err = s.pool.QueryRow(b.ctx, `SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'
		AND application_name <> 'bench'`).Scan(&connections)
	cpu := figure{Name: fmt.Sprintf("idle with %d open, of a processor", open), Unit: "%"}
	var parts []string
	for _, part := range []string{"api", "worker", "postgresql", "temporal"} {
		cpu.Value += spent[part]
		parts = append(parts, fmt.Sprintf("%s %s", part, number(spent[part])))
	}
	cpu.Note = strings.Join(parts, ", ")
	return []figure{
		cpu,
		{Name: fmt.Sprintf("idle with %d open, connections to PostgreSQL", open), Unit: "connections", Value: float64(connections)},
		{Name: fmt.Sprintf("idle with %d open, transactions", open), Unit: "per minute", Value: transactions},
	}, err
}

// idleFor observes a desk at which nothing happens: the parts' processor time in percent of a processor, and the number of
// transactions per minute.
func (s *stack) idleFor(b *bench) (spent map[string]float64, transactions float64, err error) {
	before, committed, err := s.idleState(b.ctx)
	if err != nil {
		return nil, 0, err
	}
	began := time.Now()
	select {
	case <-time.After(b.settings.Idle): // the time is what is measured
	case <-b.ctx.Done():
		return nil, 0, b.ctx.Err()
	}
	minutes := time.Since(began).Minutes()
	after, later, err := s.idleState(b.ctx)
	spent = map[string]float64{}
	for part, now := range after {
		spent[part] = (now - before[part]).Minutes() / minutes * 100
	}
	return spent, float64(later-committed) / minutes, err
}

// idleState returns the processor time and the number of transactions so far, for which sessions report at most every second.
func (s *stack) idleState(ctx context.Context) (used, int64, error) {
	var transactions int64
	err := s.pool.QueryRow(ctx, `SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`).Scan(&transactions)
	return s.processorTime(), transactions, err
}

// workerMemory measures what a cached ticket takes of the worker's memory, beside a bare workflow's part of the
// memory of its worker. Both are processes that have worked on a tenth as many before, and both figures contain what Go's
// collector has not freed yet.
func workerMemory(b *bench) error {
	s, err := b.startWorking()
	if err != nil {
		return err
	}
	defer s.stop()
	n := b.scaled(b.settings.Cached)
	if err := s.fill(b.ctx, max(1, n/10)); err != nil { // buffers and pools
		return err
	}
	before, err := resident(s.worker.run.PID())
	if err != nil {
		return err
	}
	if err := s.fill(b.ctx, n+n/10); err != nil {
		return err
	}
	after, err := resident(s.worker.run.PID())
	if err != nil {
		return err
	}
	bare, err := s.bareMemory(b.ctx, n)
	if err != nil {
		return err
	}
	b.report.add(figure{Name: "worker's memory, of each cached ticket", Value: float64(after-before) / float64(n), Unit: "KB", Of: n}.
		beside(bare, "bare workflow").atMost(40),
		figure{Name: fmt.Sprintf("worker's memory with %d cached", n+n/10), Value: float64(after) / 1024, Unit: "MB"})
	return nil
}

// bareMemory is what each of n bare workflows takes of their worker's memory, in KB.
func (s *stack) bareMemory(ctx context.Context, n int) (float64, error) {
	bare, err := s.startBareWorker(ctx)
	if err != nil {
		return 0, err
	}
	defer bare.stop()
	if err := bare.start(ctx, s, max(1, n/10), time.Time{}); err != nil {
		return 0, err
	}
	before, err := resident(bare.process.Process.Pid)
	if err != nil {
		return 0, err
	}
	if err := bare.start(ctx, s, n, time.Time{}); err != nil {
		return 0, err
	}
	after, err := resident(bare.process.Process.Pid)
	return float64(after-before) / float64(n), err
}

// resident returns the resident memory of a process in KB.
func resident(pid int) (kb int, err error) {
	if _, err := fmt.Sscan(procField(fmt.Sprintf("/proc/%d/status", pid), "VmRSS"), &kb); err != nil {
		return 0, fmt.Errorf("read the memory of process %d, which only Linux shows: %w", pid, err)
	}
	return kb, nil
}
