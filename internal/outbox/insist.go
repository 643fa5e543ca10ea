package outbox

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

const (
	recordPause    = 100 * time.Millisecond // after the first try; doubles with each
	recordPauseMax = 2 * time.Second
	recordTime     = 5 * time.Second // for one try
)

// insist runs record until it succeeds or never can. When ctx ends, the try under way is finished and one more is
// made: an outage may just be over.
func insist(ctx context.Context, record func(context.Context) error) error {
	for pause := recordPause; ; pause = min(2*pause, recordPauseMax) {
		last := ctx.Err() != nil
		trying, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		err := record(trying)
		cancel()
		if err == nil || last || fault.KindOf(err).Permanent() {
			return err
		}
		wait(ctx, pause)
	}
}

// wait returns after a while, or when ctx ends.
func wait(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}
