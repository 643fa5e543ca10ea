package store

import "time"

// GateLock is for tests that stand in its way.
const GateLock = gateLock

// Bound is for tests that look at a connection.
var Bound = bound

// What the reconciler asks again and again, for a test that looks at their plans.
const (
	OverdueQuery = overdueQuery
	KeptQuery    = keptQuery
	ForgetQuery  = forgetQuery
)

// SettleAfter has mails about emergencies settle; see Options.
func (s *Store) SettleAfter(d time.Duration) { s.settle = d }
