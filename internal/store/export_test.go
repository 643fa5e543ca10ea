package store

// GateLock is for tests that stand in its way.
const GateLock = gateLock
