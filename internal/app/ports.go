package app

import (
	"context"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// publishedPolicies reads published policy versions.
type publishedPolicies interface {
	// Policy returns a version, and a NotFound fault if it does not exist.
	Policy(context.Context, int64) (*policy.Policy, error)
	// PolicyInForce returns the version in force, its policy and its document.
	PolicyInForce(context.Context) (int64, *policy.Policy, []byte, error)
}

// waker wakes the relay, which delivers accepted commands to workflows. Wake neither blocks nor fails; what cannot be
// delivered now is delivered later.
type waker interface{ Wake() }
