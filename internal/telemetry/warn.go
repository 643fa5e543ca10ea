package telemetry

import (
	"log/slog"
	"sync"
	"time"
)

// warnEvery is how often the same warning is logged: while a neighbour is away, each look and each batch has one.
const warnEvery = time.Minute

// warnSometimes returns a function that logs an error with a message, at most every warnEvery.
func warnSometimes(log *slog.Logger, message string) func(error) {
	var mu sync.Mutex
	var last time.Time
	return func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if time.Since(last) >= warnEvery {
			last = time.Now()
			log.Warn(message, "error", err)
		}
	}
}

// warn is warnSometimes with the log of t.
func (t *Telemetry) warn(message string) func(error) { return warnSometimes(t.log, message) }
