package app

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// publishedPolicies reads published policy versions.
type publishedPolicies interface {
	Policy(context.Context, int64) (*policy.Policy, error)
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
}

// waker wakes the relay, which delivers accepted commands to workflows. Wake neither blocks nor fails; what cannot be
// delivered now is delivered later.
type waker interface{ Wake() }
