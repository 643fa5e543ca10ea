package desk

import "time"

// EmergencyReplacement stands among the workflows to be replaced for the one that follows the gate. It is that workflow's
// ID.
const EmergencyReplacement = "emergency"

// Restoration is what raising the epoch after a restore will do, or has done, in PostgreSQL.
type Restoration struct {
	Epoch   int64     // that is, or that has begun
	Latest  time.Time // the newest word or event of a ticket here; zero: there is no ticket
	Tickets int       // whose workflows are to be replaced
	Links   int       // one-time links that are called off
}

// Replacing is how far workflows have been replaced since the epoch was raised.
type Replacing struct {
	Epoch int64
	Left  int  // workflows still to be replaced
	Over  bool // nothing is left to do, orphans included
}
