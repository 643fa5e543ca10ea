package main

import "time"

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
	bare, err := s.bareRate(b.ctx, max(1, n/4))
	if err != nil {
		return err
	}
	b.report.add(perSecond("backlog, tickets with their receipts sent", n, took).
		beside(bare, "bare workflows").atLeast(100), processor)
	return nil
}
