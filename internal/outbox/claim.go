package outbox

import (
	"context"
	"time"
)

const (
	claimTime = 20 * time.Second // how long a try that died leaves its delivery claimed, at most
	claimBeat = claimTime / 4    // how often a try that lives renews it
)

// hold renews a claim until the function that it returns is called. A renewal that fails is made up for by the next:
// while the store is away, no other try can claim the delivery either.
func (o *Outbox) hold(ctx context.Context, k Key, try string) (end func()) {
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx)) // a try goes on for a while after its ctx has ended
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		beat := time.NewTicker(claimBeat)
		defer beat.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-beat.C:
				_, _, _ = o.store.ClaimDelivery(renewing, k, try, claimTime)
			}
		}
	}()
	return func() {
		stop()
		<-stopped
	}
}

// release frees what was not settled for the next try at once. A claim that can't be released runs out by itself.
func (o *Outbox) release(ctx context.Context, k Key, try string) {
	releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	_ = o.store.ReleaseDelivery(releasing, k, try)
}
