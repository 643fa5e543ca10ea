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

// temporalError returns an application error whose type is the kind of err. Only NotFound is not retried. The message is
// the one for users; the cause is only logged, because Temporal UI shows messages of failures to all its users.
func temporalError(ctx context.Context, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, context.Canceled):
		return context.Canceled // unwrapped, because the wrapping may quote text of users
	}
	kind := fault.KindOf(err)
	message := kind.String()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Message != "" {
		message = f.Message
	}
	log := activity.GetLogger(ctx).Warn
	if kind == fault.Internal {
		log = activity.GetLogger(ctx).Error // a defect: it is retried, and must be noticed
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

// maxRetryDelay limits the delay after an error that asks for a later attempt: a second at first, doubled with each
// attempt. The retry policy's own delays are short, so that work resumes soon after an outage.
const maxRetryDelay = 10 * time.Minute
