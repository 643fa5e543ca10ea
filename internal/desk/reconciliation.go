package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// LookResult is what the reconciler saw when it last looked at a ticket that should move.
type LookResult string

// What can be found.
const (
	FoundMissing   LookResult = "missing"   // it has no running workflow
	FoundRestarted LookResult = "restarted" // its workflow was started anew and has taken no step since
	FoundRunning   LookResult = "running"   // its workflow runs and does not move
	FoundTrying    LookResult = "trying"    // its workflow runs and has what is owed among its activities
)

// StuckAfter is how many looks in a row find a ticket as it was before it counts as stuck.
const StuckAfter = 3

// Overdue is a ticket that should have moved, or whose workflow is looked for.
type Overdue struct {
	Number    ticket.Number
	Due       bool   // a moment passed and nothing fired
	Undecided bool   // Temporal was told of a command that no step has decided
	Mails     int    // recipients who are owed mail
	Calls     int    // webhooks that are owed a call
	Owed      int    // mails and calls, those too that were not owed for long
	Mark      string // changes when the ticket moves

	// Of the last look; zero when there was none.
	Tries int
	Seen  string // its mark then
	Was   LookResult
}

// Stuck is a ticket that does not move although its workflow runs or was started anew.
type Stuck struct {
	Number ticket.Number
	Since  time.Time
	Tries  int
}

// Reconciliation is how the workflows stand, as the reconciler last saw them.
type Reconciliation struct {
	Looked      time.Time // the last look that was carried through; zero: none yet
	Missing     int       // tickets without a running workflow
	Stuck       int       // tickets that do not move although their workflows run
	OwedMissing int       // tickets of Missing that owe mails or calls
	Parked      int       // tickets of which something that is due can't be recorded
	AuditBegan  time.Time // zero: none yet
	AuditEnded  time.Time // zero while one is under way
	Audited     int64     // tickets compared in it so far
	Restarted   int64     // workflows started anew, ever
	RestartedAt time.Time // the last of them
}

// Auditing reports whether an audit of all tickets is under way.
func (r Reconciliation) Auditing() bool { return !r.AuditBegan.IsZero() && r.AuditEnded.IsZero() }

// lookLate is how old the last look may be before it counts as missing: several times what a look takes.
const lookLate = 2 * time.Minute

// Late reports whether no reconciler has looked for too long, as when no worker runs.
func (r Reconciliation) Late(now time.Time) bool { return now.Sub(r.Looked) > lookLate }

// Well reports that nothing is wrong.
func (r Reconciliation) Well(now time.Time) bool {
	return !r.Late(now) && r.Missing == 0 && r.Stuck == 0 && r.Parked == 0
}

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
