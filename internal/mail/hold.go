package mail

import (
	"context"
	"time"
)

// holding renews a claim while a mail is on its way. The function it returns stops that. A renewal that fails is made up
// for by the next: while PostgreSQL is away, no other try can claim the mail either.
func holding(ctx context.Context, renew func(context.Context)) (end func()) {
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
				renew(renewing)
			}
		}
	}()
	return func() {
		stop()
		<-stopped
	}
}
