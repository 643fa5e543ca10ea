package activities

import (
	"context"
	"errors"
	"time"

	"go.temporal.io/sdk/activity"
	"go.temporal.io/sdk/temporal"

	"github.com/holesalemart/supportdesk/internal/fault"
	"github.com/holesalemart/supportdesk/internal/loop"
)

// temporalError makes an error's kind the type of the application error that a workflow sees. Only what nobody knows
// is a failure for good. The message is the safe one: failure messages are shown in Temporal UI and can't be hidden,
// so the cause goes to the log and no further.
func temporalError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled // bare: what it is wrapped in may quote somebody
	}
	kind := fault.KindOf(err)
	message := kind.String()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Message != "" {
		message = f.Message
	}
	log := activity.GetLogger(ctx).Warn
	if kind == fault.Internal {
		log = activity.GetLogger(ctx).Error // a defect: it is tried again, and must be seen
	}
	log("activity failed", "kind", kind.String(), "error", err)
	if kind == fault.NotFound {
		return temporal.NewNonRetryableApplicationError(message, kind.String(), nil)
	}
	options := temporal.ApplicationErrorOptions{}
	if kind == fault.Limited {
		options.NextRetryDelay = loop.Doubled(time.Second, maxRetryDelay, int(activity.GetInfo(ctx).Attempt)-1)
	}
	return temporal.NewApplicationErrorWithOptions(message, kind.String(), options)
}

// pauseMax limits the pause after a neighbour has asked for a later try: a second at first, doubled with each attempt.
// The retry policy's own pauses are short, so that an outage is over soon after it ends.
const maxRetryDelay = 10 * time.Minute
