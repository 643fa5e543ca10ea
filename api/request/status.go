package request

import (
	"context"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/holesalemart/supportdesk/internal/fault"
)

// StatusGone is the status that nginx logs when the client has disconnected. No one receives the response.
const StatusGone = 499

// Status returns the HTTP status of a kind of fault. No other code maps them.
func Status(kind fault.Kind) int {
	switch kind {
	case fault.Invalid:
		return http.StatusUnprocessableEntity
	case fault.Unauthenticated:
		return http.StatusUnauthorized
	case fault.Forbidden:
		return http.StatusForbidden
	case fault.NotFound:
		return http.StatusNotFound
	case fault.Conflict:
		return http.StatusConflict
	case fault.TooLarge:
		return http.StatusRequestEntityTooLarge
	case fault.Limited:
		return http.StatusTooManyRequests
	case fault.Unavailable:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// Safe returns the status of an error and a fault that is safe to show. For an error without a kind the fault is
// generic.
func Safe(ctx context.Context, err error) (status int, shown *fault.Error) {
	if errors.Is(err, context.Canceled) && ctx.Err() != nil {
		return StatusGone, fault.New(fault.Internal, "the client closed the connection")
	}
	f, ok := errors.AsType[*fault.Error](err)
	if ok && f.Kind != fault.Internal {
		shown := *f // the caller may add to it, and many faults are package variables
		return Status(f.Kind), &shown
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return http.StatusServiceUnavailable, fault.New(fault.Unavailable, "that took too long; try again later")
	}
	return http.StatusInternalServerError,
		fault.New(fault.Internal, "something went wrong on our side; it is recorded under this request's ID")
}

// Seconds formats a duration for the Retry-After header, rounded up.
func Seconds(wait time.Duration) string { return strconv.Itoa(int(math.Ceil(wait.Seconds()))) }
