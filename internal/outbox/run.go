package outbox

import (
	"context"
	"crypto/rand"
	"sync"
	"time"
)

const (
	senders   = 4                // deliveries at once: one slow recipient must not hold up another's signing in
	awayPause = 2 * time.Second  // after the store failed
	lookEvery = 30 * time.Second // should a notification ever be lost
)

// Run sends what is owed in a queue until ctx ends, and waits for what is on its way then. Its error is always nil.
func (o *Outbox) Run(ctx context.Context, q Queue) error {
	woken := make(chan struct{}, 1)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() { o.listen(ctx, woken) })
	slots := make(chan struct{}, senders)
	for {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return nil
		}
		try := rand.Text()
		k, ok := o.next(ctx, q, try, woken)
		if !ok {
			return nil
		}
		group.Go(func() {
			defer func() { <-slots }()
			if _, err := o.attempt(ctx, k, try); err != nil && ctx.Err() == nil {
				o.log.Warn("a delivery is tried again", "queue", q, "n", k.N, "error", err)
				wait(ctx, awayPause)
			}
		})
	}
}

// listen has woken told of new deliveries, and again after every outage.
func (o *Outbox) listen(ctx context.Context, woken chan<- struct{}) {
	wake := func() {
		select {
		case woken <- struct{}{}:
		default: // it has been
		}
	}
	for ctx.Err() == nil {
		err := o.store.AwaitDeliveries(ctx, wake)
		if ctx.Err() == nil {
			o.log.Warn("not listening for deliveries", "error", err)
		}
		wait(ctx, awayPause)
	}
}

// next waits for a delivery and claims it; false when ctx has ended.
func (o *Outbox) next(ctx context.Context, q Queue, try string, woken <-chan struct{}) (Key, bool) {
	for ctx.Err() == nil {
		k, found, err := o.store.ClaimNextDelivery(ctx, q, try, claimTime)
		if found && err == nil {
			return k, true
		}
		due := time.Time{}
		if err == nil {
			due, err = o.store.NextDelivery(ctx, q)
		}
		pause := lookEvery
		switch {
		case err != nil && ctx.Err() == nil:
			o.log.Warn("can't look for deliveries", "queue", q, "error", err)
			pause = awayPause
		case !due.IsZero():
			pause = min(max(time.Until(due), time.Millisecond), lookEvery)
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-woken:
		case <-timer.C:
		}
		timer.Stop()
	}
	return Key{}, false
}
