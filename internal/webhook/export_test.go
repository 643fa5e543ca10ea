package webhook

import "time"

// Hurry makes every try end after a while that a test can wait for.
func (c *Caller) Hurry(try time.Duration) { c.client = client(try) }

// Now sets the caller's clock.
func (c *Caller) Now(now func() time.Time) { c.now = now }

// MaxAnswer is how much of an answer is read.
const MaxAnswer = maxAnswer
