package store

// GateLock is for tests that stand in its way.
const GateLock = gateLock

// What the reconciler asks again and again, for a test that looks at their plans.
const (
	OverdueQuery = overdueQuery
	KeptQuery    = keptQuery
	ForgetQuery  = forgetQuery
)
