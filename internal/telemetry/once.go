package telemetry

import (
	"sync"
	"time"
)

// oncePer reports true at most once in a period.
type oncePer struct {
	mu     sync.Mutex
	period time.Duration
	last   time.Time
}

func newOncePer(period time.Duration) *oncePer { return &oncePer{period: period} }

func (o *oncePer) now() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	if time.Since(o.last) < o.period {
		return false
	}
	o.last = time.Now()
	return true
}
