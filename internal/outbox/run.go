package outbox

import (
	"context"
	"crypto/rand"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	senders      = 4                // concurrent deliveries: one slow mail server must not delay the sign-in mails of others
	pollInterval = 30 * time.Second // in case a notification is lost

	outagePause  = 100 * time.Millisecond // after the store failed; doubles with each failure
	awayPauseMax = 2 * time.Second
)

// Run sends the deliveries of a queue as they become due until ctx ends, and then waits for those under way. Its error
// is always nil.
func (o *Outbox) Run(ctx context.Context, q Queue) error {
	polls := loop.New(o.outageOptions("can't look for deliveries", "looking for deliveries again"))
	slots := make(chan struct{}, senders)
	var group sync.WaitGroup
	defer group.Wait()
	group.Go(func() {
		loop.Listen(ctx, o.outageOptions("not listening for deliveries", "listening for deliveries again"), o.store.AwaitDeliveries, polls.Wake)
	})
	return polls.Run(ctx, func(ctx context.Context) (time.Duration, error) {
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return 0, nil
		}
		try := rand.Text()
		k, found, err := o.store.ClaimNextDelivery(ctx, q, try, claimTime)
		if err != nil || !found {
			<-slots
			return o.untilNext(ctx, q, err)
		}
		group.Go(func() {
			defer func() { <-slots }()
			if _, err := o.attempt(ctx, k, try); err != nil && ctx.Err() == nil {
				o.log.WarnContext(ctx, "a delivery is tried again", "queue", q, "n", k.N, "error", err)
				loop.Sleep(ctx, awayPauseMax)
			}
		})
		return 0, nil
	})
}

// untilNext returns how long to wait before looking for the next delivery: until it is due, but pollInterval at most.
func (o *Outbox) untilNext(ctx context.Context, q Queue, err error) (time.Duration, error) {
	if err != nil {
		return 0, err
	}
	due, err := o.store.NextDelivery(ctx, q)
	return loop.Until(due, pollInterval), err
}

// outageOptions returns the pauses and log messages of an outage of the store.
func (o *Outbox) outageOptions(failing, recovered string) loop.Options {
	return loop.Options{First: outagePause, Max: awayPauseMax, Log: o.log, Failing: failing, Recovered: recovered}
}
