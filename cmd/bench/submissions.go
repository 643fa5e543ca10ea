package main

import (
	"context"
	"fmt"
)

const bareTransaction = "bare transaction"

// submissions measures how fast tickets are accepted, while the worker works on them, beside a transaction of the same rows
// without the product. Before each measurement everything is worked off.
func submissions(b *bench) error {
	s, err := b.start()
	if err != nil {
		return err
	}
	defer s.stop()
	sample, err := s.customers[0].submit(b.ctx)
	if err != nil {
		return err
	}
	// Taken before the worker has changed the ticket.
	bare, err := s.rowsOf(b.ctx, sample, "tickets", "messages", "commands", "undelivered")
	if err != nil {
		return err
	}
	if err := s.startWorker(); err != nil {
		return err
	}
	if err := s.mails.awaitReceipts(b.ctx, 1); err != nil {
		return err
	}
	for _, clients := range []int{1, 8, 32} {
		n := b.scaled(b.settings.Submissions)
		if clients == 1 {
			n = max(1, n/4)
		}
		if err := s.submissionsAt(b, clients, n, bare); err != nil {
			return err
		}
	}
	return nil
}

func (s *stack) submissionsAt(b *bench, clients, n int, bare *rows) error {
	submitted := len(s.mails.receipts()) + clients + n
	if _, _, err := each(b.ctx, clients, clients, s.submit); err != nil { // connections and prepared statements
		return err
	}
	if err := s.mails.awaitReceipts(b.ctx, submitted-n); err != nil {
		return err
	}
	before := s.processorTime()
	taken, took, err := each(b.ctx, clients, n, s.submit)
	if err != nil {
		return err
	}
	if err := s.mails.awaitReceipts(b.ctx, submitted); err != nil {
		return err
	}
	name := fmt.Sprintf("submissions, %d at once", clients)
	processor := s.processorFigure(name+", with their receipts", n, before)
	insert := func(ctx context.Context, _, _ int) error { return bare.insert(ctx) }
	if _, _, err := each(b.ctx, clients, clients, insert); err != nil {
		return err
	}
	bareTaken, bareTook, err := each(b.ctx, clients, n, insert)
	if err != nil {
		return err
	}
	p99 := millis(name+", p99", taken.percentile(99), n).beside(inMillis(bareTaken.percentile(99)), bareTransaction)
	if clients == 1 {
		p99 = p99.atMost(10)
	}
	b.report.add(
		perSecond(name, n, took).beside(float64(n)/bareTook.Seconds(), bareTransaction).ofBare(0.7),
		millis(name+", p50", taken.percentile(50), n).beside(inMillis(bareTaken.percentile(50)), bareTransaction),
		p99, processor)
	return nil
}

// submit submits a ticket of one of the customers, for each.
func (s *stack) submit(ctx context.Context, client, _ int) error {
	_, err := s.customers[client%len(s.customers)].submit(ctx)
	return err
}
