package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Disagreement is a ticket whose row, timeline and counts do not say the same. It is a defect, or somebody has written into
// the database.
type Disagreement struct {
	Number ticket.Number
	Says   string // in words, without any that somebody wrote
}

// IdleSession is a database session that holds a transaction open and does nothing.
type IdleSession struct {
	PID     int
	User    string
	Client  string // its address; empty for a local one
	Program string
	Since   time.Time // its last statement
	For     time.Duration
}

// Backlog are the commands that the relay has not delivered for a while.
type Backlog struct {
	Commands int
	Oldest   time.Duration // since the acceptance of the oldest
}
