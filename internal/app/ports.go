package app

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// publishedPolicies reads the published versions.
type publishedPolicies interface {
	Policy(context.Context, int64) (*policy.Policy, error)
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
}

// waker wakes the delivery of what was accepted. Wake never blocks and never fails: what can't be delivered now is
// later.
type waker interface{ Wake() }
