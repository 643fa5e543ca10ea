package dispatch

import (
	"context"
	"time"
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
