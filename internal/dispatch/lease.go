package dispatch

import (
	"context"
	"time"

	"github.com/holesalemart/supportdesk/internal/loop"
)

// leases let one process at a time do something: see the store's methods.
type leases interface {
	Lease(ctx context.Context, name, holder string, lasts time.Duration) (bool, error)
	EndLease(ctx context.Context, name, holder string) error
}

// The names of the leases.
const (
	leaseReconciler = "reconciler"
	leaseReplacer   = "replacer"
)

// renew keeps a lease that the holder has. It returns when another process has it by now, or ctx ends. While PostgreSQL is
// away it may be lost: whatever is done meanwhile may be done twice.
func renew(ctx context.Context, l leases, name, holder string, lasts time.Duration) {
	for loop.Sleep(ctx, lasts/3) {
		if ours, err := l.Lease(ctx, name, holder, lasts); err == nil && !ours {
			return
		}
	}
}
