package desk

import (
	"time"

	"github.com/holesalemart/supportdesk/internal/ticket"
)

// CheckResult is the result of the reconciler's last check of an overdue ticket.
type CheckResult string

// The results.
const (
	FoundMissing   CheckResult = "missing"   // it has no running workflow
	FoundRestarted CheckResult = "restarted" // its workflow was started again and has taken no step since
	FoundRunning   CheckResult = "running"   // its workflow runs without progress
	FoundTrying    CheckResult = "trying"    // its workflow runs and has a pending activity for what is owed
)

// StuckAfter is the number of successive checks without progress after which a ticket counts as stuck.
const StuckAfter = 3

// Overdue is a ticket whose workflow should have made progress, or may be missing.
type Overdue struct {
	Number    ticket.Number
	Due       bool   // a due event has not fired
	Undecided bool   // a delivered command is not decided
	Mails     int    // recipients with overdue mails
	Calls     int    // webhooks with overdue calls
	Owed      int    // owed mails and calls, overdue or not
	Mark      string // fingerprint of the ticket's progress

	// Of the previous check; zero: there was none.
	Tries int    // checks without progress
	Seen  string // Mark
	Was   CheckResult
}

// Stuck is a ticket without progress although its workflow runs or was started again.
type Stuck struct {
	Number ticket.Number
	Since  time.Time
	Tries  int
}

// Reconciliation is the state of the workflows at the reconciler's last check.
type Reconciliation struct {
	CheckedAt   time.Time // the last complete check; zero: none yet
	Missing     int       // tickets without a running workflow
	Stuck       int       // tickets without progress although their workflows run
	OwedMissing int       // tickets in Missing with owed mails or calls
	Parked      int       // tickets with a due event or a transition that can't be recorded
	AuditBegan  time.Time // zero: none yet
	AuditEnded  time.Time // zero: under way
	Audited     int64     // tickets compared in the current or last audit
	Restarted   int64     // workflows started again, in total
	RestartedAt time.Time // of the last one
}

// Auditing reports whether an audit of all tickets is under way.
func (r Reconciliation) Auditing() bool { return !r.AuditBegan.IsZero() && r.AuditEnded.IsZero() }

// maxCheckAge is the age of the last check from which on checks count as failing, several times what one takes.
const maxCheckAge = 2 * time.Minute

// Late reports whether the last check is too old, as it is if no worker runs.
func (r Reconciliation) Late(now time.Time) bool { return now.Sub(r.CheckedAt) > maxCheckAge }

// Healthy reports whether the checks run and found no problem.
func (r Reconciliation) Healthy(now time.Time) bool {
	return !r.Late(now) && r.Missing == 0 && r.Stuck == 0 && r.Parked == 0
}

// EmergencyReplacement is the ID of the emergency workflow, which is listed among the workflows to be replaced.
const EmergencyReplacement = "emergency"

// Restoration is what raising the epoch after a restore changes in PostgreSQL.
type Restoration struct {
	Epoch   int64     // before raising it, the current one; afterwards the new one
	Latest  time.Time // time of the newest command or event in the database; zero: it has no ticket
	Tickets int       // tickets whose workflows are to be replaced
	Links   int       // one-time links that become invalid
}

// Replacing is the progress of replacing workflows since the epoch was raised.
type Replacing struct {
	Epoch int64
	Left  int  // workflows still to be replaced
	Over  bool // nothing is left to do; orphaned workflows are terminated, too
}

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

// TableLock is a lock of a table that keeps others from writing to it, or from reading it too.
type TableLock struct {
	Table   string
	Reads   bool // it keeps others from reading, too
	PID     int  // of the session that holds it
	User    string
	Client  string // its address; empty for a local one
	Program string
	For     time.Duration // time since its transaction began; 0: unknown, because it is another user's
}

// Backlog counts the commands that the relay has not delivered for some time.
type Backlog struct {
	Commands int
	Oldest   time.Duration // age of the oldest, since its acceptance
}
