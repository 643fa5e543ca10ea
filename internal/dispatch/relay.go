package dispatch

import (
	"context"
	"crypto/rand"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
	"github.com/holesalemart/supportdesk/internal/ticket"
)

const (
	batch          = 64                     // commands claimed from the backlog at once
	parallel       = 8                      // tickets delivered to at once
	pollInterval   = 100 * time.Millisecond // first, between polls for steps whose notification was lost; doubles up to sweepInterval
	attemptTimeout = 10 * time.Second       // of one command
	sweepInterval  = 2 * time.Second        // between looks for commands that a replica left behind when it died
	minPause       = 100 * time.Millisecond // before the first retry while Temporal or PostgreSQL is unavailable
	maxPause       = 5 * time.Second        // between retries while Temporal or PostgreSQL is unavailable
)

// backlog is the queue of accepted, undelivered commands. Undelivered passes the oldest to deliver, each to one replica at a
// time, marks those that deliver returns as delivered, and returns how many it passed. The others are held back for a while
// with their tickets' later commands, but not when deliver fails. At most submissions of them are new tickets, not
// counting those tried before, which are passed if submissions is positive. Untaken returns those of some tickets that have taken no step.
type backlog interface {
	Undelivered(ctx context.Context, limit, submissions int, deliver func(context.Context, []desk.AcceptedCommand) ([]desk.AcceptedCommand, error)) (int, error)
	Untaken(ctx context.Context, some []ticket.Number) ([]ticket.Number, error)
	Lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error)
}

type deliverer interface {
	Deliver(context.Context, desk.AcceptedCommand) error
}

// Relay delivers accepted commands to workflows, those of one ticket in order: at once while Temporal answers, and otherwise
// when it is back. Few new workflows wait for their first step, as many as its window allows: a burst of tickets waits in
// PostgreSQL, where commands of older tickets overtake it, and not in Temporal, where they could not. In a burst one relay of all
// has the lease of the window, and the others start few: windows of several would each take the others' tickets for the latency
// at rest. Callers that accept a command call Wake.
type Relay struct {
	progress  *progress
	changes   changes
	name      string // of its lease
	log       *slog.Logger
	loop      *loop.Loop
	backlog   backlog
	deliverer deliverer

	// Used by the goroutine of Run only.
	polls  loop.Backoff  // for the steps of new tickets
	pause  time.Duration // until the next poll
	polled time.Time
	leased time.Time // when the lease of the window was last asked for
}

// NewRelay returns a relay from b to d. c notifies it of steps, for which it otherwise polls. It calls observe, which may be
// nil, when its window or the latencies change.
func NewRelay(b backlog, d deliverer, c changes, observe observeWindow, log *slog.Logger) *Relay {
	return &Relay{
		progress: newProgress(observe), changes: c, name: rand.Text(), log: log, backlog: b, deliverer: d,
		loop: loop.New(loop.Options{
			First: minPause, Max: maxPause, Log: log,
			Failing: "commands wait to be delivered", Recovered: "commands are delivered again",
		}),
		polls: loop.Backoff{First: pollInterval, Max: sweepInterval}, pause: pollInterval,
	}
}

// Wake makes Run deliver at once. It never blocks.
func (r *Relay) Wake() { r.loop.Wake() }

// Run delivers until ctx ends.
func (r *Relay) Run(ctx context.Context) error {
	var watching sync.WaitGroup
	defer watching.Wait()
	ctx, end := context.WithCancel(ctx)
	defer end()
	watching.Go(func() { r.progress.watch(ctx, r.changes, r.Wake) })
	return r.loop.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		n, err := r.round(ctx)
		switch {
		case n > 0: // commands that waited for an earlier one of their ticket may follow
			r.polls.Reset()
			r.pause = pollInterval
			return 0, err
		case r.progress.room() == 0:
			return r.pause, err
		default:
			return sweepInterval, err
		}
	})
}

// round delivers a batch and returns its size.
func (r *Relay) round(ctx context.Context) (int, error) {
	if err := r.poll(ctx); err != nil {
		return 0, err
	}
	if err := r.lead(ctx); err != nil {
		return 0, err
	}
	return r.backlog.Undelivered(ctx, batch, r.progress.room(), r.deliver)
}

// poll looks for new tickets that took their first step, in case a notification was lost.
func (r *Relay) poll(ctx context.Context) error {
	some := r.progress.waiting()
	if len(some) == 0 || time.Since(r.polled) < pollInterval {
		return nil
	}
	done := r.progress.notMeasured
	if time.Since(r.polled) < 2*pollInterval {
		done = func(n ticket.Number) { r.progress.stepped(n) }
	}
	r.polled, r.pause = time.Now(), r.polls.Next()
	untaken, err := r.backlog.Untaken(ctx, some)
	if err != nil {
		return err
	}
	for _, n := range some {
		if !slices.Contains(untaken, n) {
			done(n)
		}
	}
	return nil
}

// lead takes or renews the lease of the window while many new tickets are to be started.
func (r *Relay) lead(ctx context.Context) error {
	if !r.progress.crowded() || time.Since(r.leased) < windowLease/4 {
		return nil
	}
	r.leased = time.Now()
	leads, err := r.backlog.Lease(ctx, leaseWindow, r.name, windowLease)
	if leads {
		r.progress.lead(r.leased.Add(windowLease))
	}
	return err
}

// leaseWindow is the lease of the relay whose window is more than minWindow. It expires after a burst, or when its process has died.
const (
	leaseWindow = "window"
	windowLease = 4 * time.Second
)

// deliver delivers to each ticket its commands in order, to several tickets at once, and returns those that were delivered.
// A ticket that fails does not hold up the others. An error means that Temporal is unavailable: none was delivered, and not
// because it was refused. A few such failures are enough to leave the rest for later.
func (r *Relay) deliver(ctx context.Context, all []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
	var order []ticket.Number
	byTicket := map[ticket.Number][]desk.AcceptedCommand{}
	for _, d := range all {
		if len(byTicket[d.Number]) == 0 {
			order = append(order, d.Number)
		}
		byTicket[d.Number] = append(byTicket[d.Number], d)
	}
	var mu sync.Mutex
	var delivered []desk.AcceptedCommand
	o := forEach(ctx, order, parallel, nil, unavailable, func(ctx context.Context, number ticket.Number) error {
		some, err := r.deliverTicket(ctx, byTicket[number])
		mu.Lock()
		defer mu.Unlock()
		delivered = append(delivered, some...)
		if len(some) > 0 && unavailable(err) {
			r.log.Warn(waitingMessage, "error", err)
		}
		if len(some) > 0 {
			return nil
		}
		return err
	})
	for _, f := range o.failed {
		if !unavailable(f.err) {
			continue
		}
		if len(delivered) == 0 {
			return nil, f.err
		}
		r.log.Warn(waitingMessage, "error", f.err)
	}
	return delivered, nil
}

const waitingMessage = "a ticket's commands wait to be delivered"

// deliverTicket stops at the first command that fails, and returns those before it.
func (r *Relay) deliverTicket(ctx context.Context, commands []desk.AcceptedCommand) ([]desk.AcceptedCommand, error) {
	for i, c := range commands {
		isNew := c.Command.Verb == ticket.VerbSubmit
		if isNew {
			r.progress.starting(c.Number)
		}
		err := withTimeout(ctx, c, r.deliverer.Deliver)
		if err != nil && isNew {
			r.progress.notMeasured(c.Number)
		}
		if err != nil && !unavailable(err) {
			r.log.ErrorContext(ctx, "command can't be delivered", "ticket", c.Number, "command", c.Command.Seq, "error", err)
		}
		if err != nil {
			return commands[:i], err
		}
	}
	return commands, nil
}
