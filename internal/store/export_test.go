package store

// GateLock is for tests that stand in its way.
const GateLock = gateLock

// Bound is for tests that look at a connection.
var Bound = bound
