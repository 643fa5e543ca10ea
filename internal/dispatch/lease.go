package dispatch

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

// leases ensure that one process at a time does some work.
type leases interface {
	Lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error)
	EndLease(ctx context.Context, name, holder string) error
}

// The names of the leases.
const (
	leaseReconciler = "reconciler"
	leaseReplacer   = "replacer"
)

// renew extends a lease held by holder until another process has taken it over or ctx ends. During an outage of
// PostgreSQL the lease may be lost unnoticed, so work under a lease must be safe to do twice.
func renew(ctx context.Context, l leases, name, holder string, lasts time.Duration) {
	for loop.Sleep(ctx, lasts/3) {
		if ours, err := l.Lease(ctx, name, holder, lasts); err == nil && !ours {
			return
		}
	}
}
