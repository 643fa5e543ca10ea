package outbox

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

const (
	recordPause    = 100 * time.Millisecond // after the first try; doubles with each
	recordPauseMax = 2 * time.Second
	recordTime     = 5 * time.Second // for one try
)

// insist runs record until it succeeds or never can. When ctx ends, the try under way is finished and one more is
// made: an outage may just be over.
func insist(ctx context.Context, record func(context.Context) error) error {
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
