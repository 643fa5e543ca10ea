package desk

import (
	"context"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// fresh is how long the policy in force is believed without asking. It only decides whether a submission's category
// and priority are offered; which version the ticket is pinned to is read in the transaction that accepts it.
const fresh = time.Second

// inForce remembers the policy in force for a moment, so that a rush of submissions does not ask for it each time.
type inForce struct {
	policies policies

	mu      sync.Mutex
	until   time.Time
	version int64
	policy  *policy.Policy
}

func (f *inForce) get(ctx context.Context) (int64, *policy.Policy, error) {
	f.mu.Lock()
	version, p, stale := f.version, f.policy, time.Now().After(f.until)
	f.mu.Unlock()
	if !stale {
		return version, p, nil
	}
	version, p, _, err := f.policies.PolicyInForce(ctx)
	if err != nil {
		return 0, nil, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.version, f.policy, f.until = version, p, time.Now().Add(fresh)
	return version, p, nil
}
