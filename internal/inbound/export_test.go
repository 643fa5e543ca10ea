package inbound

import "time"

// Limit sets how long an attempt may take.
func (p *Processor) Limit(d time.Duration) { p.limit = d }

// Defer returns the pause before the next attempt with a mail.
func (p *Processor) Defer(id int64) time.Duration { return p.pause(id) }

// Deferred returns the number of mails whose last pause is known.
func (p *Processor) Deferred() int { return len(p.pauses) }
