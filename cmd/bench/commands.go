package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const (
	staffAtOnce  = 8  // members of the staff who send commands at once
	deskTickets  = 64 // tickets that they work on
	peerOnStores = "peer that only stores"
)

// staffWork is the work of the staff on some tickets: each member has tickets of their own, and changes the priority of one
// after the other. That is a command without a mail, so its cost is the command's alone.
type staffWork struct {
	people    []*person
	tickets   []string
	turns     [staffAtOnce]int // commands that each client has sent
	undecided atomic.Int64
}

// addStaffWork submits the tickets and waits for their receipts.
func (s *stack) addStaffWork(ctx context.Context) (*staffWork, error) {
	w := &staffWork{people: s.agents}
	var mu sync.Mutex
	_, _, err := each(ctx, staffAtOnce, deskTickets, func(ctx context.Context, client, _ int) error {
		number, err := s.customers[client].submit(ctx)
		mu.Lock()
		defer mu.Unlock()
		w.tickets = append(w.tickets, number)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.mails.awaitReceipts(ctx, deskTickets); err != nil {
		return nil, err
	}
	// Connections and prepared statements; every ticket's workflow is in the worker's memory, as when it is worked on.
	_, _, err = each(ctx, staffAtOnce, 2*staffAtOnce, w.command)
	return w, err
}

// command sends a client's next command, for each. Of a ticket's commands each changes its priority.
func (w *staffWork) command(ctx context.Context, client, _ int) error {
	own := len(w.tickets) / staffAtOnce
	turn := w.turns[client]
	w.turns[client]++
	number := w.tickets[client*own+turn%own]
	priority := []string{"high", "low"}[turn/own%2]
	err := w.people[client].command(ctx, number, "", fields{"priority": priority})
	if errors.Is(err, errUndecided) { // slow, and counted as such
		w.undecided.Add(1)
		return nil
	}
	return err
}

// paced sends commands until over returns true: so many a second of all clients together, as far as each has the outcome of its
// last one by then, or without a pause if pace is 0.
func (w *staffWork) paced(ctx context.Context, pace float64, over func() bool, add func(began time.Time, took time.Duration)) error {
	group, ctx := errgroup.WithContext(ctx)
	for client := range staffAtOnce {
		group.Go(func() error {
			turns, stop := turnsOf(client, pace)
			defer stop()
			for !over() {
				select {
				case <-turns:
				case <-ctx.Done():
					return ctx.Err()
				}
				began := time.Now()
				if err := w.command(ctx, client, 0); err != nil {
					return err
				}
				add(began, time.Since(began))
			}
			return nil
		})
	}
	return group.Wait()
}

// turnsOf returns a channel from which one client receives when it may send its next command.
func turnsOf(client int, pace float64) (turns <-chan time.Time, stop func()) {
	if pace <= 0 {
		always := make(chan time.Time)
		close(always)
		return always, func() {}
	}
	every := time.Duration(float64(staffAtOnce) / pace * float64(time.Second))
	time.Sleep(every * time.Duration(client) / staffAtOnce) // so that they don't send at the same instant
	ticker := time.NewTicker(every)
	return ticker.C, ticker.Stop
}

// commandsAtRest measures commands of a desk that does nothing else.
func commandsAtRest(b *bench) error {
	s, work, err := b.startStaffed()
	if err != nil {
		return err
	}
	defer s.stop()
	bare, err := s.startPeer(b.ctx, work.tickets[0], work.tickets)
	if err != nil {
		return err
	}
	defer bare.stop()
	stored := &staffWork{tickets: work.tickets}
	for _, p := range work.people {
		stored.people = append(stored.people, &person{base: bare.base, token: p.handle})
	}
	for _, clients := range []int{1, staffAtOnce} {
		n := b.scaled(b.settings.Commands)
		if clients == 1 {
			n = max(1, n/4)
		}
		if _, _, err := each(b.ctx, clients, 2*clients, stored.command); err != nil {
			return err
		}
		bareTaken, bareTook, err := each(b.ctx, clients, n, stored.command)
		if err != nil {
			return err
		}
		work.undecided.Store(0)
		before := s.processorTime()
		taken, took, err := each(b.ctx, clients, n, work.command)
		if err != nil {
			return err
		}
		name := fmt.Sprintf("commands, %d at once", clients)
		processor := s.processorFigure(name, n, before)
		b.report.add(work.figures(name, taken, took, bareTaken, bareTook)...)
		b.report.add(processor)
	}
	return nil
}

func (w *staffWork) figures(name string, taken *samples, took time.Duration, bareTaken *samples, bareTook time.Duration) []figure {
	n := taken.len()
	rate := perSecond(name, n, took).beside(float64(bareTaken.len())/bareTook.Seconds(), peerOnStores)
	median := millis(name+", p50", taken.percentile(50), n).beside(inMillis(bareTaken.percentile(50)), peerOnStores)
	if name == fmt.Sprintf("commands, %d at once", staffAtOnce) {
		rate = rate.atLeast(250)
	} else {
		median = median.atMost(8)
	}
	if late := w.undecided.Load(); late > 0 {
		rate.Note = fmt.Sprintf("%d were not decided within two seconds", late)
	}
	return []figure{rate, median, millis(name+", p95", taken.percentile(95), n).beside(inMillis(bareTaken.percentile(95)), peerOnStores)}
}

func inMillis(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
