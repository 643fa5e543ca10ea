package activities

import (
	"context"
	"errors"

	"go.temporal.io/sdk/temporal"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// temporalError makes an error's kind the type of the application error that a workflow sees, and permanent kinds
// not retryable. The message is the safe one: failure messages are shown in Temporal UI and can't be hidden.
func temporalError(err error) error {
	if err == nil || errors.Is(err, context.Canceled) {
		return err
	}
	kind := fault.KindOf(err)
	message := kind.String()
	if f, ok := errors.AsType[*fault.Error](err); ok && f.Message != "" {
		message = f.Message
	}
	if kind.Permanent() {
		return temporal.NewNonRetryableApplicationError(message, kind.String(), nil)
	}
	return temporal.NewApplicationError(message, kind.String())
}
