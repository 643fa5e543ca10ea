package outbox

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	recordPause    = 100 * time.Millisecond // after the first call; doubles with each
	recordPauseMax = 2 * time.Second
	recordTime     = 5 * time.Second // for one call
)

// untilRecorded calls record until it succeeds or fails permanently. When ctx ends it finishes the current call and makes
// one more, because an outage may have just ended.
func untilRecorded(ctx context.Context, record func(context.Context) error) error {
	pauses := loop.Backoff{First: recordPause, Max: recordPauseMax}
	for {
		last := ctx.Err() != nil
		trying, cancel := context.WithTimeout(context.WithoutCancel(ctx), recordTime)
		err := record(trying)
		cancel()
		if err == nil || last || fault.KindOf(err).Permanent() {
			return err
		}
		loop.Sleep(ctx, pauses.Next())
	}
}
