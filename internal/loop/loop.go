// Package loop runs work that is woken, swept for and backed off from while a neighbour is away.
//
// A Loop calls its work again at once, after a wait that the work names, or when Wake is called. After a failure it waits
// for a Backoff's pause, which Wake does not shorten, and it logs an outage once when it begins and once when it ends:
//
//	l := loop.New(loop.Options{First: 100 * time.Millisecond, Max: 5 * time.Second, Log: log, Failing: "…", Recovered: "…"})
//	go l.Run(ctx, func(ctx context.Context) (wait time.Duration, err error) { … })
//	l.Wake()
//
// An Outage is for work that blocks while all is well, such as listening on a connection.
package loop

import (
	"context"
	"log/slog"
	"sync"
	"time"
)

// Backoff is a pause that doubles from First to Max. It is used instead of a library because every caller needs no more
// than this: no jitter, no limit of tries, no retried function.
type Backoff struct {
	First, Max time.Duration
	failures   int
}

// Next returns the pause before the next try.
func (b *Backoff) Next() time.Duration {
	b.failures++
	return Doubled(b.First, b.Max, b.failures-1)
}

// Reset makes First the next pause.
func (b *Backoff) Reset() { b.failures = 0 }

// Doubled returns first doubled n times, but at most limit.
func Doubled(first, limit time.Duration, n int) time.Duration {
	for ; n > 0 && first < limit; n-- {
		first *= 2
	}
	return min(first, limit)
}

// Options configure a Loop or an Outage.
type Options struct {
	First, Max time.Duration // bounds of the pauses between failures
	Log        *slog.Logger
	Failing    string // logged at the first of a row of failures
	Recovered  string // logged at the first success after them; empty: not logged
}

// Outage paces tries during an outage and logs its beginning and its end. It is for one goroutine.
type Outage struct {
	options Options
	backoff Backoff
	failing bool
}

// NewOutage returns an outage that has not begun.
func NewOutage(o Options) *Outage {
	return &Outage{options: o, backoff: Backoff{First: o.First, Max: o.Max}}
}

// Failed records a failure and returns the pause before the next try.
func (o *Outage) Failed(err error) time.Duration {
	if !o.failing {
		o.options.Log.Warn(o.options.Failing, "error", err)
	}
	o.failing = true
	return o.backoff.Next()
}

// Recovered records a success.
func (o *Outage) Recovered() {
	if o.failing && o.options.Recovered != "" {
		o.options.Log.Info(o.options.Recovered)
	}
	o.failing = false
	o.backoff.Reset()
}

// Loop repeats work until its context ends.
type Loop struct {
	outage *Outage
	wake   chan struct{}
}

// New returns a loop. Run it once.
func New(o Options) *Loop { return &Loop{outage: NewOutage(o), wake: make(chan struct{}, 1)} }

// Wake ends the wait after a success. A call during the work is not lost: the work is done once more. It never blocks.
func (l *Loop) Wake() {
	select {
	case l.wake <- struct{}{}:
	default: // one is pending
	}
}

// Run calls work until ctx ends. After a success it waits for as long as work returned. Its error is always nil.
func (l *Loop) Run(ctx context.Context, work func(context.Context) (wait time.Duration, err error)) error {
	for ctx.Err() == nil {
		wait, err := work(ctx)
		if ctx.Err() != nil {
			return nil //nolint:nilerr // it was asked to end
		}
		if err != nil {
			Sleep(ctx, l.outage.Failed(err))
			continue
		}
		l.outage.Recovered()
		if wait > 0 {
			l.idle(ctx, wait)
		}
	}
	return nil
}

func (l *Loop) idle(ctx context.Context, wait time.Duration) {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-l.wake:
	case <-timer.C:
	}
}

// Sleep waits and reports whether ctx goes on.
func Sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return false
	case <-timer.C:
		return true
	}
}

// Every calls do at each interval, starting after the first, until stop is called, which waits for a running call to end. The
// context of do ends with ctx and at stop. A call that takes longer than the interval is followed by the next at once, so
// that a lease that do renews does not expire because one renewal was slow.
func Every(ctx context.Context, interval time.Duration, do func(context.Context)) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	var running sync.WaitGroup
	running.Go(func() {
		ticker := time.NewTicker(interval)
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				do(ctx)
			}
		}
	})
	return func() {
		cancel()
		running.Wait()
	}
}

// Listen calls await, which calls wake whenever there may be work and blocks until it fails, again and again until ctx ends.
// It paces and logs the failures as an Outage.
func Listen(ctx context.Context, o Options, await func(ctx context.Context, wake func()) error, wake func()) {
	outage := NewOutage(o)
	for ctx.Err() == nil {
		err := await(ctx, func() {
			outage.Recovered()
			wake()
		})
		if ctx.Err() == nil {
			Sleep(ctx, outage.Failed(err))
		}
	}
}

// Until returns how long to wait for an instant, but at most limit, which is also the wait for the zero time.
func Until(at time.Time, limit time.Duration) time.Duration {
	if at.IsZero() {
		return limit
	}
	return min(max(time.Until(at), time.Millisecond), limit)
}
