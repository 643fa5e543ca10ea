package webhook

import "time"

// Hurry sets the time limit of a try.
func (c *Caller) Hurry(try time.Duration) { c.client = client(try) }

// Now sets the caller's clock.
func (c *Caller) Now(now func() time.Time) { c.now = now }

// MaxAnswer is the number of bytes of a response that are read.
const MaxAnswer = maxAnswer
