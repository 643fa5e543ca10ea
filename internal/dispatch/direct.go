package dispatch

import (
	"context"
	"crypto/rand"
	"log/slog"
	"math"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/holesalemart/supportdesk/internal/desk"
	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	maxDirect     = 64                     // commands that are accepted and delivered directly at once
	directTimeout = 3 * time.Second        // of one direct delivery; shorter than the lease of its command
	directPause   = time.Second            // without direct deliveries after one has failed
	settlePause   = 500 * time.Millisecond // between two recordings of what was delivered directly
	settleTimeout = 5 * time.Second
)

// commandLeases records what became of commands that were accepted under a lease. Most of them are decided, and their leases gone, by
// then.
type commandLeases interface {
	SettleLeased(ctx context.Context, lease string, delivered, released []desk.AcceptedCommand) error
}

// Direct delivers the commands that its own process accepts, at once and without a claim: they are accepted under its lease.
// What it can't deliver, and everything else, is left to the Relay: new tickets, commands of tickets whose workflow does not
// run, all commands while Temporal is unavailable, and those that a process has left behind, once their lease has expired. A
// command may be delivered before an earlier one of its ticket, whose lease another process has: the step decides both, in
// order.
type Direct struct {
	*Relay
	leases  commandLeases
	running deliverer // to workflows that run
	log     *slog.Logger
	name    string        // of its lease
	slots   chan struct{} // holds a token for each command that is being accepted or delivered
	paused  atomic.Int64  // until this instant, in Unix nanoseconds, nothing is delivered directly
	failed  chan struct{} // receives when a command is to be released

	mu                  sync.Mutex
	delivered, released []desk.AcceptedCommand
}

// NewDirect returns a Direct before a relay. running delivers to workflows that run, and fails for others.
func NewDirect(r *Relay, l commandLeases, running deliverer, log *slog.Logger) *Direct {
	return &Direct{Relay: r, leases: l, running: running, log: log, name: rand.Text(), slots: make(chan struct{}, maxDirect), failed: make(chan struct{}, 1)}
}

// Lease returns the lease under which the next command is to be accepted, or "" if the relay is to deliver it. For each lease,
// Deliver or Cancel must be called once.
func (d *Direct) Lease() string {
	if time.Now().UnixNano() < d.paused.Load() {
		return ""
	}
	select { // no place is free once Run has ended
	case d.slots <- struct{}{}:
		return d.name
	default:
		return ""
	}
}

// Cancel ends a lease under which nothing was accepted.
func (d *Direct) Cancel() { <-d.slots }

// Deliver delivers a command that was accepted under the lease. It does not wait for that.
func (d *Direct) Deliver(c desk.AcceptedCommand) {
	go func() {
		defer d.Cancel()
		ctx, cancel := context.WithTimeout(context.Background(), directTimeout)
		defer cancel()
		d.progress.signaling(c.Number)
		err := d.running.Deliver(ctx, c)
		if err != nil {
			d.progress.notSignaled(c.Number)
		}
		if unavailable(err) {
			d.pause()
		}
		d.add(c, err == nil)
	}()
}

// pause leaves all commands to the relay for a while.
func (d *Direct) pause() {
	until := time.Now().Add(directPause).UnixNano()
	if was := d.paused.Load(); was < until {
		d.paused.CompareAndSwap(was, until)
	}
}

func (d *Direct) add(c desk.AcceptedCommand, delivered bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if delivered {
		d.delivered = append(d.delivered, c)
		return
	}
	d.released = append(d.released, c)
	select {
	case d.failed <- struct{}{}:
	default: // it is known already
	}
}

// Run runs the relay, and records what was delivered directly, until ctx ends.
func (d *Direct) Run(ctx context.Context) error {
	var group errgroup.Group
	group.Go(func() error { return d.Relay.Run(ctx) })
	group.Go(func() error {
		d.settleUntil(ctx)
		return nil
	})
	return group.Wait()
}

// settleUntil records what was delivered until ctx ends, and then what is under way.
func (d *Direct) settleUntil(ctx context.Context) {
	outage := loop.NewOutage(loop.Options{First: settlePause, Max: settlePause, Log: d.log, Failing: "deliveries of commands can't be recorded; they are repeated"})
	ticker := time.NewTicker(settlePause)
	defer ticker.Stop()
	for ctx.Err() == nil {
		select {
		case <-ticker.C:
		case <-d.failed:
		case <-ctx.Done():
			continue
		}
		if err := d.settle(context.WithoutCancel(ctx)); err != nil {
			outage.Failed(err) // the leases expire, and the relay delivers the commands again
			continue
		}
		outage.Recovered()
	}
	d.stop()
	if err := d.settle(context.WithoutCancel(ctx)); err != nil {
		outage.Failed(err)
	}
}

// stop ends the leases: it waits for those that are accepted or delivered under one.
func (d *Direct) stop() {
	d.paused.Store(math.MaxInt64)
	timer := time.NewTimer(directTimeout)
	defer timer.Stop()
	for range cap(d.slots) {
		select {
		case d.slots <- struct{}{}:
		case <-timer.C: // its request hangs; the lease expires
			return
		}
	}
}

func (d *Direct) settle(ctx context.Context) error {
	d.mu.Lock()
	delivered, released := d.delivered, d.released
	d.delivered, d.released = nil, nil
	d.mu.Unlock()
	if len(delivered)+len(released) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleTimeout)
	defer cancel()
	if err := d.leases.SettleLeased(ctx, d.name, delivered, released); err != nil {
		return err
	}
	if len(released) > 0 {
		d.Wake()
	}
	return nil
}
