package main

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

const rushClients = 32

// rush measures commands of staff while a rush of submissions is accepted and worked off, beside the same at rest, and the
// rush itself.
func rush(b *bench) error {
	s, work, err := b.startStaffed()
	if err != nil {
		return err
	}
	defer s.stop()
	rest := &samples{}
	restBegan, enough := time.Now(), b.scaled(b.settings.Commands)/2+staffAtOnce
	err = work.paced(b.ctx, b.settings.Pace, func() bool { return rest.len() >= enough }, func(_ time.Time, d time.Duration) { rest.add(d) })
	if err != nil {
		return err
	}
	restTook := time.Since(restBegan)
	work.undecided.Store(0)
	n := b.scaled(b.settings.Rush)
	r := &rushed{stack: s, work: work, pace: b.settings.Pace, known: deskTickets}
	before := s.processorTime()
	if err := r.run(b.ctx, n); err != nil {
		return err
	}
	processor := s.processorFigure("the rush and its commands", n+r.commands.len(), before)
	const atRest = "at rest"
	during := func(name string, percent float64) figure {
		return millis(name, r.commands.percentile(percent), r.commands.len()).beside(inMillis(rest.percentile(percent)), atRest)
	}
	rate := perSecond("commands in the rush", r.commands.len(), r.took).
		beside(float64(rest.len())/restTook.Seconds(), atRest)
	if late := work.undecided.Load(); late > 0 {
		rate.Note = fmt.Sprintf("%d were not decided within two seconds", late)
	}
	accepting := fmt.Sprintf("of these %d while the rush was accepted: p95 %.0f ms", r.accepting.len(), inMillis(r.accepting.percentile(95)))
	tail := during("commands in the rush, p95", 95).atMost(100)
	tail.Note = accepting
	b.report.add(rate, during("commands in the rush, p50", 50), tail,
		perSecond("the rush, accepted", n, r.accepted),
		perSecond("the rush, receipts sent", n, r.took),
		r.order(), processor)
	return nil
}

// rushed is a rush and what was measured during it.
type rushed struct {
	stack *stack
	work  *staffWork
	pace  float64 // of its commands
	known int     // tickets before it

	commands  samples // from its beginning until its last receipt
	accepting samples // of these, those that ended while it was accepted
	accepted  time.Duration
	took      time.Duration

	mu     sync.Mutex
	places map[string]int // of its tickets, in the order of their acceptance
}

func (r *rushed) run(ctx context.Context, n int) error {
	r.places = map[string]int{}
	var isAccepted, over atomic.Bool
	group, ctx := errgroup.WithContext(ctx)
	began := time.Now()
	group.Go(func() error {
		return r.work.paced(ctx, r.pace, over.Load, func(began time.Time, took time.Duration) {
			r.commands.add(took)
			if !isAccepted.Load() {
				r.accepting.add(took)
			}
		})
	})
	group.Go(func() error {
		defer over.Store(true)
		_, took, err := each(ctx, rushClients, n, r.submit)
		if err != nil {
			return err
		}
		r.accepted = took
		isAccepted.Store(true)
		err = r.stack.mails.awaitReceipts(ctx, r.known+n)
		r.took = time.Since(began)
		return err
	})
	return group.Wait()
}

func (r *rushed) submit(ctx context.Context, client, _ int) error {
	number, err := r.stack.customers[client%len(r.stack.customers)].submit(ctx)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.places[number] = len(r.places)
	return nil
}

// order is how far a receipt is from its place in the order of acceptance. Submissions that are accepted at the same time
// have no order, so that as many places as there are clients mean nothing.
func (r *rushed) order() figure {
	var off []int
	for i, a := range r.stack.mails.receipts()[r.known:] {
		place := r.places[a.number]
		off = append(off, max(i-place, place-i))
	}
	slices.Sort(off)
	f := figure{Name: "receipts' distance from their place, p95", Unit: "places", Of: len(off), Value: float64(off[len(off)*95/100])}
	f.Note = fmt.Sprintf("the farthest is %d places off; %d were accepted at once", off[len(off)-1], rushClients)
	return f
}
