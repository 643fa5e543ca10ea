package app

import (
	"context"
	"sync"
	"time"

	"github.com/holesalemart/supportdesk/internal/policy"
)

// policyCacheTime is how long the policy in force is cached. It only decides whether a submission's category and
// priority are offered; which version the ticket is pinned to is read in the transaction that accepts it.
const policyCacheTime = time.Second

// policyCache caches the policy in force for policyCacheTime, so that not every submission reads it.
type policyCache struct {
	policies publishedPolicies

	mu      sync.Mutex
	until   time.Time
	version int64
	policy  *policy.Policy
}

func (c *policyCache) get(ctx context.Context) (int64, *policy.Policy, error) {
	c.mu.Lock()
	version, p, stale := c.version, c.policy, time.Now().After(c.until)
	c.mu.Unlock()
	if !stale {
		return version, p, nil
	}
	version, p, _, err := c.policies.PolicyInForce(ctx)
	if err != nil {
		return 0, nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.version, c.policy, c.until = version, p, time.Now().Add(policyCacheTime)
	return version, p, nil
}
