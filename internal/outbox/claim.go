package outbox

import (
	"context"
	"time"
)

const (
	claimTime  = 20 * time.Second // a claim expires after this, should its process have crashed
	renewEvery = claimTime / 4    // how often a running try renews its claim
)

// keepClaim renews a claim until end is called. A renewal that fails is retried by the next one: while the store is
// unavailable, no other try can claim the delivery either.
func (o *Outbox) keepClaim(ctx context.Context, k Key, try string) (end func()) {
	renewing, stop := context.WithCancel(context.WithoutCancel(ctx)) // a try continues for a while after its ctx has ended
	stopped := make(chan struct{})
	go func() {
		defer close(stopped)
		ticker := time.NewTicker(renewEvery)
		defer ticker.Stop()
		for {
			select {
			case <-renewing.Done():
				return
			case <-ticker.C:
				_, _ = o.store.ClaimDelivery(renewing, k, try, claimTime)
			}
		}
	}()
	return func() {
		stop()
		<-stopped
	}
}

// release ends the claim on a delivery that was not settled, so that the next try need not wait until it expires.
func (o *Outbox) release(ctx context.Context, k Key, try string) {
	releasing, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
	defer cancel()
	_ = o.store.ReleaseDelivery(releasing, k, try)
}
