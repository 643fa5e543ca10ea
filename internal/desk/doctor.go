package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// Disagreement is a ticket whose row, timeline and counts contradict each other, because of a defect or of a manual change
// in the database.
type Disagreement struct {
	Number ticket.Number
	Says   string // description, which quotes no text of a ticket
}

// IdleSession is a database session that is idle in a transaction.
type IdleSession struct {
	PID     int
	User    string
	Client  string // its address; empty for a local one
	Program string
	Since   time.Time // its last statement
	For     time.Duration
}

// Backlog counts the commands that the relay has not delivered for some time.
type Backlog struct {
	Commands int
	Oldest   time.Duration // age of the oldest, since its acceptance
}
